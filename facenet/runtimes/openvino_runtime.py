"""An exported embedder in OpenVINO, on a CPU."""

from importlib import import_module
from pathlib import Path

import torch

from facenet.errors import PackageMissing, WeightsInvalid
from facenet.runtimes.loaded import Loaded


def load_in_openvino(path: Path) -> Loaded:
    """Return the embedder in a file, in 32-bit floating point, with as many threads as torch has.

    Raises:
        PackageMissing: OpenVINO is not installed.
        WeightsInvalid: the file is damaged.
    """
    try:
        openvino = import_module("facenet.detection.openvino_runtime")
    except ImportError as error:
        raise PackageMissing(f"OpenVINO cannot be imported: {error}. Run `pip install openvino`.") from error
    try:
        model = openvino.read_graph(path)
    except RuntimeError as error:
        raise WeightsInvalid(f"{path} cannot be loaded: {error}. Export the model again.") from error
    named = model.get_rt_info()["framework"]
    metadata = {str(name): str(named[name].value) for name in named}
    return Loaded(openvino.CompiledGraph(model, threads=torch.get_num_threads()).run, metadata)
