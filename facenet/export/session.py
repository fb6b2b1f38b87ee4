"""Sessions of ONNX Runtime that use the threads of this process and no more."""

from pathlib import Path
from typing import Any

import torch

from facenet.export.packages import required


def onnx_session(model: bytes | Path) -> Any:
    """Return an `onnxruntime.InferenceSession` on the CPU for a model or its file.

    It has as many threads as torch, see `facenet.devices.cpu_threads`. Idle threads sleep at once: spinning
    ones would take the cores of other processes.

    Raises:
        PackageMissing: ONNX Runtime is not installed.
    """
    runtime = required("onnxruntime")
    options = runtime.SessionOptions()
    options.intra_op_num_threads, options.inter_op_num_threads = torch.get_num_threads(), 1
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    options.log_severity_level = 3  # errors
    source = model if isinstance(model, bytes) else str(model)
    return runtime.InferenceSession(source, options, providers=["CPUExecutionProvider"])
