"""Every network of the registry, exported, against torch: layer by layer, in ONNX Runtime and in OpenVINO.

One network by default, all of them with FACENET_EXPORT_ALL=1 (`make test-export`).
"""

import os
from typing import Any

import numpy as np
import openvino
import pytest
import torch
from torch import nn

from facenet import networks
from facenet.embedder import Embedder
from facenet.export.embedding import embedding_graph
from facenet.export.onnx_file import onnx_model
from facenet.export.parity import layer_differences
from facenet.export.session import onnx_session
from facenet.standardisation import STANDARDISATIONS

EVERY = [(name, variant) for name, kind in networks.NETWORKS.items() for variant in kind.variants]
NETWORKS = EVERY if os.environ.get("FACENET_EXPORT_ALL") else [("nn4_small2", "dl4j")]


def random_network(name: str, variant: str) -> networks.EmbeddingNetwork:
    """Return a network as if trained: batch norms that do something."""
    torch.manual_seed(0)
    network = networks.build(name, variant=variant).eval()
    for layer in network.modules():
        if isinstance(layer, nn.BatchNorm1d | nn.BatchNorm2d):
            nn.init.uniform_(layer.running_mean, -0.1, 0.1)
            nn.init.uniform_(layer.running_var, 0.5, 1.5)
            nn.init.uniform_(layer.bias, -0.1, 0.1)
    return network


@pytest.mark.parametrize(("name", "variant"), NETWORKS)
def test_networks_agree_with_torch_layer_by_layer_and_in_every_runtime(name: str, variant: str) -> None:
    network = random_network(name, variant)
    side, kind = network.published_image_size, "per_image"
    graph = embedding_graph(network, image_size=side, standardisation=kind)
    model = onnx_model(graph)
    differences = dict(layer_differences(model, graph))
    layers = dict(network.named_modules())
    convolutions = [layer for layer in layers.values() if isinstance(layer, nn.Conv2d)]
    compared = [name for name in layers if f"network.{name}" in differences]
    # A convolution that the exporter fuses into its batch norm is compared as that batch norm.
    outputs = [name for name in compared if isinstance(layers[name], nn.Conv2d | nn.BatchNorm2d)]
    assert len(outputs) >= len(convolutions)
    assert max(differences.values()) < 1e-4
    written = model.SerializeToString()
    faces = np.random.default_rng(0).integers(0, 256, (4, side, side, 3), np.uint8)
    expected = Embedder(network, image_size=side, standardisation=kind, batch_size=8).embed(faces)
    found = {
        "onnxruntime": onnx_session(written).run(None, {"faces": faces})[0],
        "openvino": openvino_model(written)(faces)[0],
    }
    for embeddings in found.values():
        assert np.allclose(embeddings, expected, rtol=0, atol=1e-4 * np.abs(expected).max())


def openvino_model(model: bytes) -> Any:
    core = openvino.Core()
    return core.compile_model(core.read_model(model), "CPU", {"INFERENCE_PRECISION_HINT": "f32"})


class Mean(nn.Module):
    """The mean colour of standardised faces."""

    normalised = False

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        return images.mean((2, 3))


@pytest.mark.parametrize("kind", STANDARDISATIONS)
def test_pixels_are_standardised_inside_the_graph(kind: str) -> None:
    graph = embedding_graph(Mean(), image_size=6, standardisation=kind)
    faces = np.random.default_rng(1).integers(0, 200, (3, 6, 6, 3), np.uint8)
    faces[0] = 77  # uniform: per_image gives zero
    with torch.inference_mode():
        found = graph.module(torch.from_numpy(faces)).numpy()
    values = faces.astype(np.float64)
    if kind == "fixed":
        values = (values - 127.5) / 128
    if kind == "dlib":
        values = (values - (122.782, 117.001, 104.298)) / 256
    if kind == "per_image":
        spread = np.maximum(values.std((1, 2, 3), keepdims=True), 1 / np.sqrt(108))
        values = (values - values.mean((1, 2, 3), keepdims=True)) / spread
    assert np.allclose(found, values.mean((1, 2)), atol=1e-4)
