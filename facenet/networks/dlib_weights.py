"""Read the weights of `DlibResNet` from a file written by dlib's `serialize(network)`.

dlib nests the types of a network: the file begins with the versions of all layers, from the output to the
input; their values follow, from the input to the output. Layers without weights are in it too. Each value is
checked against the known architecture or, where it has no effect on embeddings, read and dropped.
"""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from facenet.errors import WeightsInvalid
from facenet.networks.dlib_resnet import BLOCKS, MEANS, STEM, DlibResNet
from facenet.networks.dlib_stream import DlibStream

SIDE, WIDTH = DlibResNet.published_image_size, DlibResNet.published_embedding_size
LAYER, TAG, FIRST_LAYER = (
    2,
    1,
    3,
)  # versions: of add_layer; of add_tag_layer and add_skip_layer
MULTIPLIERS = 4  # of learning rate and weight decay, of weights and biases
POOL_EVERYTHING = (0, 0, 1, 1, 0, 0)


def read_dlib_weights(path: Path) -> dict[str, Tensor]:
    """Return the float32 tensors of the variant `affine`, named as in `DlibResNet`.

    Raises:
        WeightsInvalid: the file is missing, or is not exactly this network as dlib writes it.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        raise WeightsInvalid(f"{path} cannot be read: {error.strerror}.") from error
    stream = DlibStream(content, str(path))
    _header(stream)
    state = {name: torch.from_numpy(np.ascontiguousarray(values)) for name, values in _layers(stream)}
    stream.end()
    return state


def _header(stream: DlibStream) -> None:
    """Read the loss, the versions of all layers, and the input layer."""
    stream.expect(1, "the version of the loss layer")
    stream.expect("loss_metric_2", "the loss layer")
    stream.number()  # margin
    stream.number()  # distance threshold: dlib's rule for a match
    for expected in _versions():
        stream.expect(expected, "the version of a layer")
    stream.expect("input_rgb_image_sized", "the input layer")
    means = tuple(stream.number() for _ in MEANS)
    if not np.allclose(means, MEANS, rtol=0, atol=1e-4):
        raise stream.error(f"the means of the pixels are {means}, expected {MEANS}")
    for side in ("rows", "columns"):
        stream.expect(SIDE, f"the number of {side} of the input")


def _versions() -> Iterator[int]:
    yield from (LAYER, LAYER)  # fully connected, pool
    for _, halves in reversed(BLOCKS):
        yield from (LAYER, LAYER)  # ReLU, sum
        yield from (LAYER, TAG, TAG) if halves else ()  # pool, skip to the block's input, tag of the branch
        yield from (
            LAYER,
            LAYER,
            LAYER,
            LAYER,
            LAYER,
            TAG,
        )  # affine, conv, ReLU, affine, conv, tag of the input
    yield from (LAYER, LAYER, LAYER, FIRST_LAYER)  # max pool, ReLU, affine, conv


def _layers(stream: DlibStream) -> Iterator[tuple[str, npt.NDArray[np.float32]]]:
    """Yield names and values of all weights, from the input to the output."""
    yield from _convolution(stream, "stem", 3, STEM, kernel=7, stride=2, padding=0, first=True)
    _plain(stream, "relu_")
    _plain(stream, "max_pool_2", (3, 3, 2, 2, 0, 0))
    inputs = STEM
    for number, (outputs, halves) in enumerate(BLOCKS):
        name, stride, padding = f"blocks.{number}", *((2, 0) if halves else (1, 1))
        yield from _convolution(stream, f"{name}.conv1", inputs, outputs, stride=stride, padding=padding)
        _plain(stream, "relu_")
        yield from _convolution(stream, f"{name}.conv2", outputs, outputs)
        if halves:
            _plain(stream, "avg_pool_2", (2, 2, 2, 2, 0, 0))
        _plain(stream, "add_prev_")
        _plain(stream, "relu_")
        inputs = outputs
    _plain(stream, "avg_pool_2", POOL_EVERYTHING)
    yield from _fully_connected(stream, inputs)


def _convolution(
    stream: DlibStream,
    name: str,
    inputs: int,
    outputs: int,
    *,
    kernel: int = 3,
    stride: int = 1,
    padding: int = 1,
    first: bool = False,
) -> Iterator[tuple[str, npt.NDArray[np.float32]]]:
    """Yield the weights of a convolution, filters before biases, and of the affine layer behind it."""
    shape = (outputs, inputs, kernel, kernel)
    stream.expect("con_4", f"the layer {name}")
    values = _values(stream, name, int(np.prod(shape)) + outputs)
    for setting in (outputs, kernel, kernel, stride, stride, padding, padding):
        stream.expect(setting, f"a setting of the convolution {name}")
    _view(stream, shape, name)
    _view(stream, (1, outputs, 1, 1), name)
    _multipliers(stream)
    _state(stream, first=first)
    yield f"{name}.conv.weight", values[:-outputs].reshape(shape)
    yield f"{name}.conv.bias", values[-outputs:]
    stream.expect("affine_", f"the layer after {name}")
    values = _values(stream, name, 2 * outputs)
    _view(stream, (1, outputs, 1, 1), name)
    _view(stream, (1, outputs, 1, 1), name)
    stream.expect(0, "the mode of an affine layer")  # one value per channel
    _state(stream)
    yield f"{name}.bn.weight", values[:outputs]
    yield f"{name}.bn.bias", values[outputs:]


def _fully_connected(stream: DlibStream, inputs: int) -> Iterator[tuple[str, npt.NDArray[np.float32]]]:
    stream.expect("fc_2", "the last layer")
    stream.expect(WIDTH, "the width of the output")
    stream.expect(inputs, "the number of inputs of the last layer")
    values = _values(stream, "last_linear", inputs * WIDTH)
    _view(stream, (inputs, WIDTH, 1, 1), "last_linear")
    _view(stream, (0, 0, 0, 0), "last_linear")
    stream.expect(1, "the bias mode of the last layer")  # none
    _multipliers(stream)
    _state(stream)
    yield "last_linear.weight", values.reshape(inputs, WIDTH).T


def _plain(stream: DlibStream, kind: str, settings: tuple[int, ...] = ()) -> None:
    """Read a layer without weights."""
    stream.expect(kind, "a layer")
    for setting in settings:
        stream.expect(setting, f"a setting of {kind}")
    _state(stream)


def _values(stream: DlibStream, name: str, count: int) -> npt.NDArray[np.float32]:
    """Read all parameters of a layer (count,)."""
    values = stream.tensor()
    if values.size != count:
        raise stream.error(f"the layer {name} has {values.size} parameters, expected {count}")
    return values.reshape(-1)


def _view(stream: DlibStream, shape: tuple[int, ...], name: str) -> None:
    """Read the shape of a part of the parameters."""
    stream.expect(1, "the version of a shape")
    stream.expect(shape, f"the shape of the weights of {name}")


def _multipliers(stream: DlibStream) -> None:
    for _ in range(MULTIPLIERS):
        stream.number()


def _state(stream: DlibStream, *, first: bool = False) -> None:
    """Read what training left in a layer: three flags, and tensors that are empty in a finished network."""
    for _ in range(3):
        stream.flag()
    for _ in range(3):
        stream.tensor()
    if first:
        stream.expect(1, "the number of samples per image")
