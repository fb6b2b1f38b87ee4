"""The choice of what runs the three networks: OpenVINO on a CPU where it is installed, torch otherwise.

Two runtimes differ in the last bits, so the name of the runtime belongs in the cache key of what was found.
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
    """Return the fastest runtime that works here for the device."""
    return "openvino" if device.type == "cpu" and not _fault_of_openvino() else "torch"


def runtime_version(device: str | torch.device) -> str:
    """Return name and version of the runtime that `choose_runtime` takes."""
    name = choose_runtime(torch.device(device))
    return f"{name} {version(name)}"


def make_runtime(name: RuntimeName, pnet: PNet, rnet: RNet, onet: ONet, device: torch.device) -> Runtime:
    """Return the networks made ready to run."""
    if name == "openvino":
        from facenet.detection.openvino_runtime import openvino_runtime  # not to be had on every machine

        return openvino_runtime(pnet, rnet, onet)
    if device.type == "cpu" and (fault := _fault_of_openvino()):
        _log.warning("Torch searches for faces, at half the speed: %s. Run `pip install openvino`.", fault)
    return torch_runtime(pnet, rnet, onet, device)


@cache
def _fault_of_openvino() -> str:
    """Return why OpenVINO cannot be imported, or nothing."""
    try:
        import_module("facenet.detection.openvino_runtime")
    except ImportError as error:
        return str(error)
    return ""
