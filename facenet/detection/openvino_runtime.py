"""The three networks on OpenVINO's CPU plugin, which fuses a convolution with the operations after it.

They run in 32-bit floating point on every processor: the 16-bit default of some processors gives different
results. They run on the calling thread: a photo's layers are too small to be worth splitting among threads,
and this way a result cannot depend on the number of threads.
"""

from collections.abc import Iterator
from functools import cache, lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from facenet.detection.integral import Floats
from facenet.detection.networks import ONet, PNet, RNet
from facenet.detection.openvino_graphs import Model, onet_graph, ov, pnet_graph, rnet_graph
from facenet.detection.runtime import Runtime, whole_chunks

CHUNKS = 16, 4  # crops per call of R-Net and O-Net
CANVAS_SHAPES = 16  # for which a compiled P-Net is cached; compiling one takes as long as two photos
SETTINGS = {
    "INFERENCE_PRECISION_HINT": "f32",
    "INFERENCE_NUM_THREADS": 1,
    "NUM_STREAMS": 1,
    "ENABLE_CPU_PINNING": False,  # concurrent processes would all be pinned to the first core
}


def openvino_runtime(pnet: PNet, rnet: RNet, onet: ONet) -> Runtime:
    """Return the networks compiled with the current weights of the modules."""
    graph_of = lru_cache(CANVAS_SHAPES)(lambda height, width: CompiledGraph(pnet_graph(pnet, height, width)))
    refiner, decider = CompiledGraph(rnet_graph(rnet, CHUNKS[0])), CompiledGraph(onet_graph(onet, CHUNKS[1]))

    def propose(pixels: Floats, mask: Floats) -> Floats:
        (found,) = graph_of(*pixels.shape[:2]).run(pixels[None], mask[None, None])
        found[0] = _sigmoid(found[0])
        return np.asarray(found)

    return Runtime(
        CHUNKS,
        propose,
        refine=lambda crops: _read(refiner, whole_chunks(crops, CHUNKS[0]))[: len(crops)],
        decide=lambda crops: _read(decider, whole_chunks(crops, CHUNKS[1]))[: len(crops)],
    )


class CompiledGraph:
    """A compiled graph of one output, safe to share between threads; `threads` compute together."""

    def __init__(self, model: Model, *, threads: int = 1) -> None:
        settings = SETTINGS | {"INFERENCE_NUM_THREADS": threads}
        self._compiled = _core().compile_model(model, "CPU", settings)
        self._idle: list[Any] = []

    def run(self, *inputs: Any) -> Any:
        """Return the output array for the input arrays, which must be contiguous."""
        try:
            request = self._idle.pop()
        except IndexError:  # all are in use by other threads
            request = self._compiled.create_infer_request()
        for number, values in enumerate(inputs):
            request.set_input_tensor(number, ov.Tensor(values, shared_memory=True))
        request.infer()
        output = request.get_output_tensor(0).data.copy()
        self._idle.append(request)
        return output


def read_graph(path: Path) -> Model:
    """Return the graph in an ONNX file."""
    return _core().read_model(path)


@cache
def _core() -> Any:
    return ov.Core()


def _read(graph: CompiledGraph, chunks: Iterator[Floats]) -> Floats:
    found: Floats = np.concatenate([graph.run(chunk)[..., 0, 0] for chunk in chunks])
    found[:, 0] = _sigmoid(found[:, 0])
    return found


def _sigmoid(x: Floats) -> Floats:
    """Return the logistic function, which is a softmax over two scores applied to their difference."""
    with np.errstate(over="ignore"):
        return np.float32(1) / (np.float32(1) + np.exp(-x))
