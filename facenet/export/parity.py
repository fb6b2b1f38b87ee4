"""Compare an exported graph with the network it was exported from, layer by layer if they differ."""

import ast
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from facenet.errors import ExportFailed
from facenet.export.graph import Graph
from facenet.export.packages import required
from facenet.export.session import onnx_session

TOLERANCE = 1e-4  # of the largest absolute value of a layer; float32 kernels differ by about 1e-6
SCOPES = "pkg.torch.onnx.name_scopes"  # of a node: the modules that contain it, outermost first


class LayerDifference(NamedTuple):
    """The largest absolute difference of a layer's output from torch's, divided by torch's largest value."""

    layer: str
    difference: float


def check_parity(model: Any, graph: Graph) -> None:
    """Raise ExportFailed unless ONNX Runtime gives what torch gives for `graph.trial`.

    model: an onnx.ModelProto with the exporter's metadata, by which the first wrong layer is named.
    """
    with torch.inference_mode():
        expected = graph.module(graph.trial)
    expected = expected if isinstance(expected, tuple) else (expected,)
    feed = {graph.input: graph.trial.numpy()}
    found = onnx_session(model.SerializeToString()).run(list(graph.outputs), feed)
    for name, ours, theirs in zip(graph.outputs, expected, found, strict=True):
        difference = _difference(ours.numpy(), theirs)
        if not difference <= TOLERANCE:
            layers = layer_differences(model, graph)
            wrong = next((layer for layer in layers if not layer.difference <= TOLERANCE), None)
            raise ExportFailed(
                f"ONNX Runtime differs from torch in the output {name} of {graph.name}: by {difference:.2g} "
                f"of its largest value, more than {TOLERANCE:g}. The first layer that differs is "
                f"{wrong.layer if wrong else 'the last step'}. Nothing was written. Use the runtime torch, "
                "or another version of torch and onnxscript."
            )


def layer_differences(model: Any, graph: Graph) -> list[LayerDifference]:
    """Return the difference of each layer that has an output of its own in the exported graph, in order.

    The exporter fuses a batch norm into the convolution before it: the convolution alone is then not listed.
    """
    expected = _layer_outputs(graph.module, graph.trial)
    values: dict[str, str] = {}  # last value that is computed inside a module
    for node in model.graph.node:
        scopes = [prop.value for prop in node.metadata_props if prop.key == SCOPES]
        for scope in ast.literal_eval(scopes[0])[:-1] if scopes else ():
            values[scope] = node.output[0]
    layers = [layer for layer in expected if layer in values]
    found = _values(model, [values[layer] for layer in layers], {graph.input: graph.trial.numpy()})
    return [
        LayerDifference(layer, _difference(expected[layer], found[values[layer]]))
        for layer in layers
        if expected[layer].shape == found[values[layer]].shape
    ]


def _difference(expected: NDArray[np.float32], found: NDArray[np.float32]) -> float:
    if expected.shape != found.shape:
        return float("inf")
    if not expected.size:
        return 0.0
    largest = np.abs(expected).max() or 1.0
    return float(np.abs(expected - found).max() / largest)


def _layer_outputs(module: nn.Module, images: Tensor) -> dict[str, NDArray[np.float32]]:
    """Return the output of every submodule that returns a tensor, in the order of their ends."""
    outputs: dict[str, NDArray[np.float32]] = {}

    def keep(name: str) -> Any:
        def hook(_: nn.Module, __: Any, output: Any) -> None:
            if isinstance(output, Tensor):
                outputs[name] = output.detach().clone().numpy()  # a ReLU may overwrite it

        return hook

    handles = [layer.register_forward_hook(keep(name)) for name, layer in module.named_modules() if name]
    try:
        with torch.inference_mode():
            module(images)
    finally:
        for handle in handles:
            handle.remove()
    return outputs


def _values(model: Any, names: list[str], feed: dict[str, Any]) -> dict[str, NDArray[np.float32]]:
    onnx = required("onnx")
    copy = onnx.ModelProto()
    copy.CopyFrom(model)
    outputs = {value.name for value in copy.graph.output}
    wanted = sorted(set(names))
    for name in wanted:
        if name not in outputs:
            copy.graph.output.append(onnx.helper.make_empty_tensor_value_info(name))
    found = onnx_session(copy.SerializeToString()).run(wanted, feed)
    return dict(zip(wanted, found, strict=True))
