"""The choice of a runtime for the embedding network: OpenVINO on a CPU if it can be used, torch otherwise."""

from importlib.util import find_spec
from pathlib import Path

import torch

from facenet.export import EMBEDDER

NEEDED = ("openvino",)
NEEDED_TO_EXPORT = ("openvino", "onnx", "onnxscript", "onnxruntime")


def openvino_is_faster(folder: Path, device: torch.device, precision: str) -> bool:
    """Return whether OpenVINO can run the model in a folder, and computes what torch would.

    It computes in float32 on a CPU, where it is faster than torch in the same precision; benchmarks/export.py
    measures both. precision: of the evaluated model.
    """
    packages = NEEDED if (folder / EMBEDDER).exists() else NEEDED_TO_EXPORT
    return device.type == "cpu" and precision == "fp32" and all(map(find_spec, packages))
