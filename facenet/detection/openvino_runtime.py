"""The three networks on OpenVINO's CPU plugin, which fuses a convolution with what follows it.

They run in 32-bit floating point on every processor: the 16 bits that some would take by default give other
results. Each graph runs on one thread. With more threads chunks run beside each other, so that the number of
threads changes no bit.
"""

from collections import deque
from collections.abc import Iterable
from functools import cache, lru_cache
from typing import Any

import numpy as np

from facenet.detection.integral import Floats
from facenet.detection.networks import ONet, PNet, RNet
from facenet.detection.openvino_graphs import Model, onet_graph, ov, pnet_graph, rnet_graph
from facenet.detection.runtime import Runtime, whole_chunks

CHUNKS = 16, 4  # crops that R-Net and O-Net are shown at a time
CANVAS_SHAPES = 16  # for which P-Net is kept ready; making it so takes as long as two photos
MAX_THREADS = 4  # beyond which the chunks of a photo are too few


def openvino_runtime(pnet: PNet, rnet: RNet, onet: ONet, *, threads: int) -> Runtime:
    """Return the networks with the weights that the modules have now; threads: chunks that run at a time."""
    graph_of = lru_cache(CANVAS_SHAPES)(lambda height, width: _Graph(pnet_graph(pnet, height, width), 1))
    threads = min(threads, MAX_THREADS)
    refiner, decider = (
        _Graph(rnet_graph(rnet, CHUNKS[0]), threads),
        _Graph(onet_graph(onet, CHUNKS[1]), threads),
    )

    def propose(pixels: Floats, mask: Floats) -> Floats:
        graph: _Graph = graph_of(*pixels.shape[:2])
        (found,) = graph.run([(pixels[None], mask[None, None])])
        found[0, 0] = _sigmoid(found[0, 0])
        return found.reshape(found.shape[1:])

    def read(graph: _Graph, size: int, crops: Floats) -> Floats:
        found = np.concatenate(graph.run((chunk,) for chunk in whole_chunks(crops, size)))
        found = found[: len(crops), :, 0, 0]
        found[:, 0] = _sigmoid(found[:, 0])
        return found

    return Runtime(
        CHUNKS,
        propose,
        refine=lambda crops: read(refiner, CHUNKS[0], crops),
        decide=lambda crops: read(decider, CHUNKS[1], crops),
    )


class _Graph:
    """A graph made ready to run. Threads may share it."""

    def __init__(self, model: Model, threads: int) -> None:
        settings = {
            "INFERENCE_PRECISION_HINT": "f32",
            "INFERENCE_NUM_THREADS": threads,
            "NUM_STREAMS": threads,
            "ENABLE_CPU_PINNING": False,  # processes beside each other would all sit on the first core
        }
        self._compiled, self._threads = _core().compile_model(model, "CPU", settings), threads
        self._idle: list[Any] = []

    def run(self, calls: Iterable[tuple[Floats, ...]]) -> list[Floats]:
        """Return the output for the inputs of each call; as many run at a time as there are threads."""
        running: deque[tuple[Any, tuple[Floats, ...]]] = deque()
        found = []
        for inputs in calls:
            if len(running) == self._threads:
                found.append(self._finish(*running.popleft()))
            running.append((self._start(inputs), inputs))
        return found + [self._finish(*run) for run in running]

    def _start(self, inputs: tuple[Floats, ...]) -> Any:
        try:
            request = self._idle.pop()
        except IndexError:  # all are at work
            request = self._compiled.create_infer_request()
        for number, values in enumerate(inputs):
            request.set_input_tensor(number, ov.Tensor(values, shared_memory=True))
        if self._threads > 1:
            request.start_async()
        else:
            request.infer()  # here: handing over to another thread would take a tenth of the time
        return request

    def _finish(self, request: Any, _: tuple[Floats, ...]) -> Floats:
        """Wait for a run and return its output; its inputs, which are not copied, have to live until then."""
        request.wait()
        output: Floats = request.get_output_tensor(0).data.copy()
        self._idle.append(request)
        return output


@cache
def _core() -> Any:
    return ov.Core()


def _sigmoid(x: Floats) -> Floats:
    """Return the logistic function: a softmax over two, of the difference of both."""
    with np.errstate(over="ignore"):
        return np.float32(1) / (np.float32(1) + np.exp(-x))
