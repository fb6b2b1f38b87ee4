import struct
from pathlib import Path

import pytest
import torch

from facenet import networks
from facenet.errors import WeightsInvalid
from facenet.networks.dlib_file import packaged_dlib_file
from facenet.networks.dlib_weights import read_dlib_weights


@pytest.fixture(scope="module")
def content() -> bytes:
    return packaged_dlib_file().read_bytes()


def refuse(path: Path, content: bytes, message: str) -> None:
    path.write_bytes(content)
    with pytest.raises(WeightsInvalid, match=message):
        read_dlib_weights(path)


def test_every_parameter_is_read() -> None:
    found = read_dlib_weights(packaged_dlib_file())
    expected = networks.build("dlib_resnet").state_dict()
    assert {name: value.shape for name, value in found.items()} == {
        name: value.shape for name, value in expected.items()
    }
    assert all(value.dtype == torch.float32 and value.isfinite().all() for value in found.values())
    assert found["stem.conv.weight"].flatten()[0].item() == struct.unpack("<f", b"ME\xf0\xbc")[0]  # of 354


@pytest.mark.parametrize("kept", [0, 1, 20, 300, 340, 5000, 19_400, 244_720, 22_334_905, 22_466_065])
def test_a_truncated_file_is_refused(tmp_path: Path, content: bytes, kept: int) -> None:
    refuse(tmp_path / "cut.dat", content[:kept], r"cut\.dat, byte \d+: the file ends")


def test_bytes_after_the_end_are_refused(tmp_path: Path, content: bytes) -> None:
    refuse(tmp_path / "long.dat", content + b"\0", "byte 22466066: 1 bytes follow the last layer")


def test_another_model_of_dlib_is_refused(tmp_path: Path) -> None:
    for name in ("shape_predictor_5_face_landmarks.dat", "mmod_human_face_detector.dat"):
        other = packaged_dlib_file().with_name(name).read_bytes()
        refuse(tmp_path / name, other, f"{name}, byte .*This is not dlib's face recognition network")


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        (b"loss_metric_2", b"loss_multicls", "the loss layer is 'loss_multicls', expected 'loss_metric_2'"),
        (b"\x01\x02\x01\x03", b"\x01\x01\x01\x03", "the version of a layer is 1, expected 2"),
        (b"\x01\x96\x01\x96", b"\x01\x97\x01\x96", "the number of rows of the input is 151, expected 150"),
        (b"\x05con_4", b"\x05con_9", "the layer stem is 'con_9', expected 'con_4'"),
        (b"\x07affine_", b"\x07bn_con2", "the layer after stem is 'bn_con2', expected 'affine_'"),
        (b"max_pool_2\x01\x03", b"max_pool_2\x01\x02", "a setting of max_pool_2 is 2, expected 3"),
        (b"\x04fc_2\x01\x80", b"\x04fc_2\x01\x40", "the width of the output is 64, expected 128"),
    ],
)
def test_another_network_is_refused(
    tmp_path: Path, content: bytes, old: bytes, new: bytes, message: str
) -> None:
    refuse(tmp_path / "other.dat", content.replace(old, new, 1), message)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(WeightsInvalid, match=r"none\.dat cannot be read"):
        read_dlib_weights(tmp_path / "none.dat")
    with pytest.raises(WeightsInvalid, match=r"There are no weights at .*none\.dat"):
        networks.load_state(networks.build("dlib_resnet"), tmp_path / "none.dat")


def test_they_do_not_fit_another_network() -> None:
    with pytest.raises(WeightsInvalid, match=r"Set train\.network to the network"):
        networks.load_state(networks.build("nn4_small2"), packaged_dlib_file())
    with pytest.raises(WeightsInvalid, match=r"bn\.running_mean"):
        networks.load_state(networks.build("dlib_resnet", variant="batch_norm"), packaged_dlib_file())
