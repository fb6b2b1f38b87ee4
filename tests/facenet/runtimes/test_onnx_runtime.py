import json
import sys
from pathlib import Path

import numpy as np
import pytest

from facenet.errors import PackageMissing
from facenet.export import EMBEDDER
from facenet.runtimes.onnx_runtime import load_in_onnx_runtime


def test_the_embedder_runs_chunks_of_any_length_and_shows_its_metadata(exported: Path) -> None:
    loaded = load_in_onnx_runtime(exported / EMBEDDER)
    assert json.loads(loaded.metadata["kind"]) == "embedder"
    faces = np.random.default_rng(0).integers(0, 256, (3, 150, 150, 3), np.uint8)
    several = loaded.run(faces)
    assert (several.shape, several.dtype) == ((3, 128), np.float32)
    assert np.allclose(loaded.run(faces[1:2]), several[1:2], atol=1e-5)


def test_without_the_package_the_extra_is_named(exported: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    with pytest.raises(PackageMissing, match=r"onnxruntime.*facenet-pipeline\[export\]"):
        load_in_onnx_runtime(exported / EMBEDDER)
