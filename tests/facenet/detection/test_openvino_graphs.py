"""The graphs against the torch modules, with random weights and slopes of either sign."""

import subprocess
import sys

import numpy as np
import pytest
import torch
from torch import nn

from facenet.detection.networks import ONet, PNet, RNet
from facenet.detection.openvino_graphs import WIDER, onet_graph, ov, pnet_graph, rnet_graph
from facenet.detection.torch_runtime import torch_runtime


def networks() -> tuple[PNet, RNet, ONet]:
    torch.manual_seed(0)
    made = PNet().eval(), RNet().eval(), ONet().eval()
    for module in (module for network in made for module in network.modules()):
        if isinstance(module, nn.PReLU):
            nn.init.uniform_(module.weight, -0.3, 0.7)
    return made


def run(model: object, *inputs: np.ndarray) -> np.ndarray:
    compiled = ov.Core().compile_model(model, "CPU", {"INFERENCE_PRECISION_HINT": "f32"})
    output: np.ndarray = compiled(list(inputs))[0].copy()
    return output


def assert_same(logits: np.ndarray, probabilities: np.ndarray) -> None:
    np.testing.assert_allclose(1 / (1 + np.exp(-logits)), probabilities, atol=2e-6)


@pytest.mark.parametrize("shape", [(12, 12), (40, 56), (41, 57)])
def test_pnet(shape: tuple[int, int]) -> None:
    rng = np.random.default_rng(0)
    pixels = rng.uniform(0, 255, (*shape, 4)).astype(np.float32)
    mask = np.zeros((shape[0] - 2, shape[1] - 2), np.float32)
    mask[7] = mask[:, 9] = -np.inf  # the second lines of two windows of the pool
    made = networks()
    expected = torch_runtime(*made, torch.device("cpu")).propose(pixels, mask)
    (found,) = run(pnet_graph(made[0], *shape), pixels[None], mask[None, None])
    assert_same(found[0], expected[0])
    np.testing.assert_allclose(found[1:], expected[1:], atol=5e-6)


def test_rnet_and_onet() -> None:
    rng, made = np.random.default_rng(0), networks()
    by_torch = torch_runtime(*made, torch.device("cpu"))
    for graph, read, side in (
        (rnet_graph(made[1], 5), by_torch.refine, 24),
        (onet_graph(made[2], 5), by_torch.decide, 48),
    ):
        crops = rng.uniform(0, 255, (5, side, side, 4)).astype(np.float32)
        found, expected = run(graph, crops)[:, :, 0, 0], read(crops)
        assert_same(found[:, 0], expected[:, 0])
        np.testing.assert_allclose(found[:, 1:], expected[:, 1:], atol=5e-6)


def test_pnet_s_first_layer_is_wider_than_in_torch() -> None:
    shapes = [
        node.output(0).shape
        for node in pnet_graph(PNet(), 24, 24).get_ops()
        if node.get_type_name() == "Convolution"
    ]
    assert PNet().conv1.out_channels < WIDER
    assert sorted(shape[1] for shape in shapes) == sorted([WIDER, 16, 32, 5])


def test_openvino_is_imported_without_its_telemetry() -> None:
    code = (
        "import sys, facenet.detection.openvino_graphs; from openvino.tools import ovc; "
        "assert sys.modules['openvino_telemetry'] is None; "
        "assert type(ovc.telemetry).__module__ == 'openvino.tools.ovc.telemetry_stub', ovc.telemetry"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
