from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from facenet.export import EMBEDDER
from facenet.runtimes.loaded import Loaded
from facenet.runtimes.onnx_runtime import load_in_onnx_runtime
from facenet.runtimes.openvino_runtime import load_in_openvino


@pytest.mark.parametrize("load", [load_in_onnx_runtime, load_in_openvino])
def test_a_loaded_graph_can_be_run_from_several_threads(
    exported: Path, load: Callable[[Path], Loaded]
) -> None:
    loaded = load(exported / EMBEDDER)
    chunks = np.random.default_rng(0).integers(0, 256, (12, 1, 150, 150, 3), np.uint8)
    alone = [loaded.run(chunk) for chunk in chunks]
    with ThreadPoolExecutor(4) as threads:
        together = list(threads.map(loaded.run, chunks))
    assert np.array_equal(np.concatenate(alone), np.concatenate(together))
