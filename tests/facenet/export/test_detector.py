from pathlib import Path
from typing import Any

import numpy as np
import openvino
import pytest
import torch
from torch import Tensor, nn

from facenet.detection import load_mtcnn_weights
from facenet.detection.networks import ONet, PNet, RNet
from facenet.export.session import onnx_session

SIZES = {"pnet": [(12, 12), (13, 12), (31, 46), (97, 64)], "rnet": [(24, 24)], "onet": [(48, 48)]}


@pytest.fixture(scope="module")
def trained() -> dict[str, nn.Module]:
    weights, networks = load_mtcnn_weights(), {"pnet": PNet(), "rnet": RNet(), "onet": ONet()}
    for name, network in networks.items():
        own = {k.removeprefix(f"{name}."): v for k, v in weights.items() if k.startswith(f"{name}.")}
        network.load_state_dict(own)
    return networks


def with_onnxruntime(path: Path, pixels: np.ndarray) -> list[np.ndarray]:
    return onnx_session(path).run(None, {"pixels": pixels})


def with_openvino(path: Path, pixels: np.ndarray) -> list[np.ndarray]:
    model = openvino.Core().compile_model(path, "CPU", {"INFERENCE_PRECISION_HINT": "f32"})
    return list(model(pixels).values())


@pytest.mark.parametrize("run", [with_onnxruntime, with_openvino])
@pytest.mark.parametrize("name", ["pnet", "rnet", "onet"])
def test_exported_networks_agree_with_those_of_the_detector(
    exported: Path, trained: dict[str, nn.Module], name: str, run: Any
) -> None:
    random = np.random.default_rng(0)
    for count, (height, width) in zip((1, 3, 2, 1), SIZES[name], strict=False):
        pixels = random.uniform(0, 255, (count, height, width, 3)).astype(np.float32)
        with torch.inference_mode():
            expected: list[Tensor] = list(
                trained[name](torch.from_numpy((pixels - 127.5) / 128).movedim(3, 1))
            )
        if name == "onet":
            expected[2] = expected[2].reshape(-1, 2, 5).mT
        found = run(exported / f"{name}.onnx", pixels)
        assert len(found) == len(expected)
        for ours, theirs in zip(expected, found, strict=True):
            assert np.allclose(theirs, ours.numpy(), atol=2e-5)
