"""A graph that computes something else is found, and the layer at fault named."""

from typing import Any

import numpy as np
import onnx
import pytest
import torch
from torch import Tensor, nn

from facenet.errors import ExportFailed
from facenet.export.graph import Graph
from facenet.export.onnx_file import onnx_model
from facenet.export.parity import check_parity, layer_differences


class Small(nn.Module):
    """Convolutions without bias before batch norms, as in ResNets, which the exporter fuses."""

    def __init__(self) -> None:
        super().__init__()
        self.first = nn.Sequential(nn.Conv2d(3, 4, 3, bias=False), nn.BatchNorm2d(4), nn.ReLU(inplace=True))
        self.second = nn.Sequential(nn.Conv2d(4, 5, 3), nn.BatchNorm2d(5), nn.ReLU(inplace=True))
        self.last = nn.Linear(5, 2)

    def forward(self, images: Tensor) -> Tensor:
        return self.last(self.second(self.first(images)).mean((2, 3)))


@pytest.fixture(scope="module")
def graph() -> Graph:
    torch.manual_seed(0)
    module = Small()
    for layer in module.modules():
        if isinstance(layer, nn.BatchNorm2d):
            nn.init.uniform_(layer.running_mean, -1, 1)
            nn.init.uniform_(layer.running_var, 0.5, 2)
            nn.init.uniform_(layer.bias, -1, 1)
    return Graph(
        name="Small",
        module=module.eval(),
        example=torch.rand(2, 3, 12, 12),
        trial=torch.rand(3, 3, 12, 12),
        input="images",
        axes={0: "batch"},
        outputs={"out": {0: "batch"}},
    )


@pytest.fixture(scope="module")
def model(graph: Graph) -> Any:
    return onnx_model(graph)


def test_every_layer_agrees(model: Any, graph: Graph) -> None:
    check_parity(model, graph)
    layers = dict(layer_differences(model, graph))
    assert {"first", "first.1", "second", "second.1", "second.2", "last"} <= layers.keys()
    assert "first.0" not in layers  # fused into its batch norm
    assert max(layers.values()) < 1e-5


def test_a_wrong_bias_of_a_convolution_is_found_and_its_layer_named(model: Any, graph: Graph) -> None:
    """What pytorch issue 166797 reported for a ResNet50."""
    wrong = onnx.ModelProto()
    wrong.CopyFrom(model)
    second = [node for node in wrong.graph.node if node.op_type == "Conv"][1]
    bias = next(tensor for tensor in wrong.graph.initializer if tensor.name == second.input[2])
    bias.CopyFrom(onnx.numpy_helper.from_array(onnx.numpy_helper.to_array(bias) + np.float32(0.1), bias.name))
    with pytest.raises(ExportFailed, match=r"output out of Small: .* first layer that differs is second\.1"):
        check_parity(wrong, graph)
    wrong_layers = [layer for layer, difference in layer_differences(wrong, graph) if difference > 1e-4]
    assert wrong_layers[0] == "second.1"
    assert all(layer.split(".")[0] in ("second", "last") for layer in wrong_layers)


def test_values_that_are_not_numbers_do_not_pass(model: Any, graph: Graph) -> None:
    wrong = onnx.ModelProto()
    wrong.CopyFrom(model)
    last = wrong.graph.node[-1]
    bias = next(tensor for tensor in wrong.graph.initializer if tensor.name == last.input[2])
    bias.CopyFrom(onnx.numpy_helper.from_array(np.full(2, np.nan, np.float32), bias.name))
    with pytest.raises(ExportFailed, match="by nan of its largest value"):
        check_parity(wrong, graph)
