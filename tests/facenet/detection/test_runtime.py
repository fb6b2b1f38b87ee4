import logging
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
import torch

from facenet.detection import MTCNN, runtime_version
from facenet.detection import runtime as module
from facenet.detection.networks import ONet, PNet, RNet
from facenet.detection.runtime import Runtime, whole_chunks
from facenet.detection.runtimes import choose_runtime, make_runtime
from facenet.detection.torch_runtime import mtcnn_input

CPU = torch.device("cpu")
NAMES: list[module.RuntimeName] = ["torch", "openvino"]


@pytest.fixture(params=[1, 2])
def threads(request: pytest.FixtureRequest) -> Iterator[int]:
    before = torch.get_num_threads()
    torch.set_num_threads(request.param)
    yield request.param
    torch.set_num_threads(before)


def some_runtime(name: module.RuntimeName) -> Runtime:
    torch.manual_seed(0)
    return make_runtime(name, PNet().eval(), RNet().eval(), ONet().eval(), CPU)


def crops(count: int, side: int) -> np.ndarray:
    return np.random.default_rng(side).uniform(0, 255, (count, side, side, 4)).astype(np.float32)


@pytest.mark.parametrize("name", NAMES)
def test_a_reading_depends_on_its_crop_alone(name: module.RuntimeName, threads: int) -> None:
    networks = some_runtime(name)
    for read, side in ((networks.refine, 24), (networks.decide, 48)):
        shown = crops(37, side)
        together = read(shown)
        assert read(shown[::-1])[::-1].tobytes() == together.tobytes()
        assert read(shown[20:21]).tobytes() == together[20:21].tobytes()


@pytest.mark.parametrize("name", NAMES)
def test_the_fourth_channel_has_no_meaning(name: module.RuntimeName) -> None:
    networks, shown = some_runtime(name), crops(3, 24)
    before = networks.refine(shown)
    shown[..., 3] = 77
    np.testing.assert_array_equal(networks.refine(shown), before)


def test_openvino_is_taken_on_a_cpu_only() -> None:
    assert choose_runtime(CPU) == "openvino"
    assert choose_runtime(torch.device("cuda")) == "torch"
    assert runtime_version("cpu").startswith("openvino 20")
    assert runtime_version("cuda") == f"torch {torch.__version__}"


def test_without_openvino_torch_searches_and_says_so(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    module._fault_of_openvino.cache_clear()

    def missing(name: str) -> Any:
        raise ModuleNotFoundError("No module named 'openvino'")

    monkeypatch.setattr(module, "import_module", missing)
    try:
        with caplog.at_level(logging.WARNING):
            MTCNN()
        assert runtime_version("cpu") == f"torch {torch.__version__}"
        (record,) = caplog.records
        assert "No module named 'openvino'" in record.getMessage()
        assert "pip install openvino" in record.getMessage()
    finally:
        module._fault_of_openvino.cache_clear()


def test_chunks_are_filled_up_with_zeros() -> None:
    shown = crops(5, 24)
    first, second, third = whole_chunks(shown, 2)
    np.testing.assert_array_equal(np.concatenate([first, second, third[:1]]), shown)
    assert third.shape == (2, 24, 24, 4)
    assert not third[1].any()


def test_standardisation() -> None:
    pixels = np.array([0, 127.5, 255, 9], np.float32).reshape(1, 1, 1, 4)
    assert mtcnn_input(pixels, CPU).flatten().tolist() == [-0.99609375, 0, 0.99609375]
