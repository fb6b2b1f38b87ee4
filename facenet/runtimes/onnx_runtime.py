"""An exported embedder in ONNX Runtime."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from facenet.errors import WeightsInvalid
from facenet.export.embedding import INPUT, OUTPUT
from facenet.export.packages import required
from facenet.export.session import onnx_session
from facenet.runtimes.loaded import Loaded


def load_in_onnx_runtime(path: Path) -> Loaded:
    """Return the embedder in a file, with as many threads as torch has.

    Raises:
        PackageMissing: ONNX Runtime is not installed.
        WeightsInvalid: the file is damaged.
    """
    errors = required("onnxruntime.capi.onnxruntime_pybind11_state")
    try:
        session = onnx_session(path)
    except (errors.Fail, errors.InvalidGraph, errors.InvalidProtobuf, errors.NotImplemented) as error:
        raise WeightsInvalid(f"{path} cannot be loaded: {error}. Export the model again.") from error

    def run(faces: NDArray[np.uint8]) -> NDArray[np.float32]:
        embeddings: NDArray[np.float32] = session.run([OUTPUT], {INPUT: faces})[0]
        return embeddings

    return Loaded(run, session.get_modelmeta().custom_metadata_map)
