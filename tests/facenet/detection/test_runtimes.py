"""Properties of both runtimes, and which one is chosen."""

import logging
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
import torch

from facenet.detection import MTCNN, runtime_version
from facenet.detection import runtimes as module
from facenet.detection.networks import ONet, PNet, RNet
from facenet.detection.runtime import Runtime
from facenet.detection.runtimes import RuntimeName, choose_runtime, make_runtime

CPU = torch.device("cpu")
NAMES: list[RuntimeName] = ["torch", "openvino"]


@pytest.fixture(params=[1, 2])
def threads(request: pytest.FixtureRequest) -> Iterator[int]:
    before = torch.get_num_threads()
    torch.set_num_threads(request.param)
    yield request.param
    torch.set_num_threads(before)


def some_runtime(name: RuntimeName) -> Runtime:
    torch.manual_seed(0)
    return make_runtime(name, PNet().eval(), RNet().eval(), ONet().eval(), CPU)


def crops(count: int, side: int) -> np.ndarray:
    return np.random.default_rng(side).uniform(0, 255, (count, side, side, 4)).astype(np.float32)


@pytest.mark.parametrize("name", NAMES)
def test_a_result_depends_on_its_crop_alone(name: RuntimeName, threads: int) -> None:
    networks = some_runtime(name)
    for read, side in ((networks.refine, 24), (networks.decide, 48)):
        shown = crops(37, side)
        together = read(shown)
        assert read(shown[::-1])[::-1].tobytes() == together.tobytes()
        assert read(shown[20:21]).tobytes() == together[20:21].tobytes()


@pytest.mark.parametrize("name", NAMES)
def test_the_fourth_channel_is_ignored(name: RuntimeName) -> None:
    networks, shown = some_runtime(name), crops(3, 24)
    before = networks.refine(shown)
    shown[..., 3] = 77
    np.testing.assert_array_equal(networks.refine(shown), before)


def test_openvino_is_chosen_on_a_cpu_only() -> None:
    assert choose_runtime(CPU) == "openvino"
    assert choose_runtime(torch.device("cuda")) == "torch"
    assert runtime_version("cpu").startswith("openvino 20")
    assert runtime_version("cuda") == f"torch {torch.__version__}"


def test_without_openvino_torch_detects_with_a_warning(
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
