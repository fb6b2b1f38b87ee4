"""The choice of runtime for the three networks: OpenVINO on a CPU if installed, torch otherwise.

Runtimes differ in the last bits, so the runtime's name is part of the cache key of detections.
"""

import logging
from functools import cache
from importlib import import_module
from importlib.metadata import version
from typing import Literal

import torch

from facenet.detection.networks import ONet, PNet, RNet
from facenet.detection.runtime import Runtime
from facenet.detection.torch_runtime import torch_runtime

RuntimeName = Literal["openvino", "torch"]

_log = logging.getLogger(__name__)


def choose_runtime(device: torch.device) -> RuntimeName:
    """Return the fastest available runtime for the device."""
    return "openvino" if device.type == "cpu" and not _fault_of_openvino() else "torch"


def runtime_version(device: str | torch.device) -> str:
    """Return the name and version of the runtime that `choose_runtime` selects."""
    name = choose_runtime(torch.device(device))
    return f"{name} {version(name)}"


def make_runtime(name: RuntimeName, pnet: PNet, rnet: RNet, onet: ONet, device: torch.device) -> Runtime:
    """Return the networks on the named runtime, ready to run."""
    if name == "openvino":
        from facenet.detection.openvino_runtime import openvino_runtime  # not available on every platform

        return openvino_runtime(pnet, rnet, onet)
    if device.type == "cpu" and (fault := _fault_of_openvino()):
        _log.warning(
            "Detecting faces with torch, at half the speed of OpenVINO: %s. Run `pip install openvino`.",
            fault,
        )
    return torch_runtime(pnet, rnet, onet, device)


@cache
def _fault_of_openvino() -> str:
    """Return why OpenVINO cannot be imported, or an empty string."""
    try:
        import_module("facenet.detection.openvino_runtime")
    except ImportError as error:
        return str(error)
    return ""
