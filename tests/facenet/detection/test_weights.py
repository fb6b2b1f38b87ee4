import shutil
from pathlib import Path

import pytest

from facenet.detection import weights
from facenet.detection.networks import ONet, PNet, RNet
from facenet.errors import WeightsInvalid


def test_every_parameter_of_the_networks_is_loaded() -> None:
    loaded = weights.load_mtcnn_weights()
    expected = {
        f"{name}.{key}": value.shape
        for name, network in (("pnet", PNet()), ("rnet", RNet()), ("onet", ONet()))
        for key, value in network.state_dict().items()
    }
    assert {key: value.shape for key, value in loaded.items()} == expected


def test_a_changed_file_is_not_unpickled(tmp_path: Path) -> None:
    for name in weights.SHA256:
        shutil.copy(weights._package_folder() / f"{name}.lz4", tmp_path)
    assert weights.load_mtcnn_weights(tmp_path)
    content = bytearray((tmp_path / "rnet.lz4").read_bytes())
    content[-1] ^= 1
    (tmp_path / "rnet.lz4").write_bytes(content)
    with pytest.raises(WeightsInvalid, match=r"rnet\.lz4 has sha256 .*pip install"):
        weights.load_mtcnn_weights(tmp_path)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(WeightsInvalid, match=r"pnet\.lz4"):
        weights.load_mtcnn_weights(tmp_path)
