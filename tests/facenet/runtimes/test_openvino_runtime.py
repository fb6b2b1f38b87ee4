import json
import sys
from pathlib import Path

import numpy as np
import pytest

from facenet.devices import cpu_threads
from facenet.errors import PackageMissing
from facenet.export import EMBEDDER
from facenet.runtimes.openvino_runtime import load_in_openvino


@pytest.mark.parametrize("threads", [1, 2])
def test_the_embedder_runs_with_the_threads_of_the_process(exported: Path, threads: int) -> None:
    with cpu_threads(threads):
        loaded = load_in_openvino(exported / EMBEDDER)
    compiled = loaded.run.__self__._compiled  # type: ignore[attr-defined]  # CompiledGraph.run is bound
    assert compiled.get_property("INFERENCE_NUM_THREADS") == threads
    assert compiled.get_property("INFERENCE_PRECISION_HINT").to_string() == "f32"
    assert json.loads(loaded.metadata["standardisation"]) == "dlib"
    faces = np.random.default_rng(0).integers(0, 256, (3, 150, 150, 3), np.uint8)
    several = loaded.run(faces)
    assert (several.shape, several.dtype) == ((3, 128), np.float32)
    assert np.allclose(loaded.run(faces[1:2]), several[1:2], atol=1e-5)


def test_without_openvino_the_package_is_named(exported: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "facenet.detection.openvino_runtime", None)
    with pytest.raises(PackageMissing, match="pip install openvino"):
        load_in_openvino(exported / EMBEDDER)
