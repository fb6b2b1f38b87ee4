"""The three networks as OpenVINO graphs, built from the weights of the torch modules.

Inputs are pixels, 0 to 255, with four channels, (N, H, W, 4). The standardisation, (x - 127.5) / 128, is
folded into the first kernels; the fourth channel gets zero weight.
"""

import sys
from importlib import import_module
from typing import Any

import numpy as np
from torch import Tensor, nn

from facenet.detection.integral import CHANNELS
from facenet.detection.networks import ONet, PNet, RNet, bias_of


def _without_telemetry() -> Any:
    """Import openvino without its telemetry, which would report the import to its vendor."""
    sys.modules.setdefault("openvino_telemetry", None)  # type: ignore[arg-type]  # makes importing it fail
    return import_module("openvino")


ov = _without_telemetry()
op = ov.opset13
Node = Any  # in a graph
Model = Any

WIDER = 16  # channels of P-Net's first layer, six of them zero: faster than ten


def pnet_graph(network: PNet, height: int, width: int) -> Model:
    """Map pixels (1, height, width, 4) and `Canvas.mask`, as (1, 1, H, W), to (1, 5, h, w).

    The first channel is the logit of the probability, the other four are the offsets.
    """
    pixels, mask = _input(1, height, width, CHANNELS), _input(1, 1, height - 2, width - 2)
    x = _pool(op.add(_first(pixels, network.conv1, network.prelu1, WIDER), mask), 2)
    kernel = np.pad(_numpy(network.conv2.weight), [(0, 0), (0, WIDER - 10), (0, 0), (0, 0)])
    x = _prelu(_convolution(x, kernel, bias_of(network.conv2)), network.prelu2.weight)
    x = _layer(x, network.conv3, network.prelu3)
    return ov.Model([_heads(x, network.score, network.box)], [pixels, mask], "pnet")


def rnet_graph(network: RNet, count: int) -> Model:
    """Map crops (count, 24, 24, 4) to logits and four offsets, (count, 5, 1, 1)."""
    pixels = _input(count, 24, 24, CHANNELS)
    x = _pool(_first(pixels, network.conv1, network.prelu1), 3)
    x = _pool(_layer(x, network.conv2, network.prelu2), 3)
    x = _layer(x, network.conv3, network.prelu3)
    x = _dense(x, network.dense4, network.prelu4)
    return ov.Model([_heads(x, network.score, network.box)], [pixels], "rnet")


def onet_graph(network: ONet, count: int) -> Model:
    """Map crops (count, 48, 48, 4) to logits, four offsets and ten landmarks, (count, 15, 1, 1)."""
    pixels = _input(count, 48, 48, CHANNELS)
    x = _pool(_first(pixels, network.conv1, network.prelu1), 3)
    x = _pool(_layer(x, network.conv2, network.prelu2), 3)
    x = _pool(_layer(x, network.conv3, network.prelu3), 2)
    x = _layer(x, network.conv4, network.prelu4)
    x = _dense(x, network.dense5, network.prelu5)
    return ov.Model([_heads(x, network.score, network.box, network.landmarks)], [pixels], "onet")


def _input(*shape: int) -> Node:
    return op.parameter(shape, np.float32)


def _first(pixels: Node, layer: nn.Conv2d, prelu: nn.PReLU, channels: int = 0) -> Node:
    """Standardise pixels (N, H, W, 4) and apply the first layer, zero-padded to `channels` channels."""
    weight, bias = (_numpy(x).astype(np.float64) for x in (layer.weight, bias_of(layer)))
    bias = bias - weight.sum((1, 2, 3)) * 127.5 / 128
    more = max(0, channels - len(weight))
    kernel = np.pad(weight / 128, [(0, more), (0, CHANNELS - weight.shape[1]), (0, 0), (0, 0)])
    x = op.transpose(pixels, op.constant([0, 3, 1, 2], np.int64))
    slopes = np.pad(_numpy(prelu.weight), (0, more))
    return _prelu(_convolution(x, kernel, np.pad(bias, (0, more))), slopes)


def _layer(x: Node, layer: nn.Conv2d, prelu: nn.PReLU) -> Node:
    return _prelu(_convolution(x, layer.weight, bias_of(layer)), prelu.weight)


def _dense(x: Node, layer: nn.Linear, prelu: nn.PReLU) -> Node:
    """Apply a dense layer to (N, C, 3, 3) as a convolution; its inputs are in the order W, H, C."""
    kernel = _numpy(layer.weight).reshape(layer.out_features, 3, 3, -1).transpose(0, 3, 2, 1)
    return _prelu(_convolution(x, kernel, layer.bias), prelu.weight)


def _heads(x: Node, score: nn.Module, *others: nn.Module) -> Node:
    """Apply all output layers in one product; the difference of the two scores comes first."""
    weights, biases = (
        [_numpy(getattr(layer, name)) for layer in (score, *others)] for name in ("weight", "bias")
    )
    weights[0], biases[0] = np.diff(weights[0], axis=0), np.diff(biases[0])
    kernel = np.concatenate([weight.reshape(*weight.shape[:2], 1, 1) for weight in weights])
    return _convolution(x, kernel, np.concatenate(biases))


def _convolution(x: Node, kernel: Any, bias: Any) -> Node:
    x = op.convolution(x, _constant(kernel), [1, 1], [0, 0], [0, 0], [1, 1])
    return op.add(x, _constant(_numpy(bias).reshape(1, -1, 1, 1)))


def _prelu(x: Node, slopes: Any) -> Node:
    return op.prelu(x, _constant(slopes))


def _pool(x: Node, kernel: int) -> Node:
    return op.max_pool(x, [2, 2], [1, 1], [0, 0], [0, 0], [kernel, kernel], "ceil").output(0)


def _constant(values: Any) -> Node:
    return op.constant(np.ascontiguousarray(_numpy(values), np.float32))


def _numpy(values: Any) -> Any:
    return values.detach().cpu().numpy() if isinstance(values, Tensor) else values
