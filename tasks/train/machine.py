"""What computed the weights, as far as it can change their last bits; for the model card."""

import platform
from importlib.metadata import version
from pathlib import Path
from typing import Any

import torch

LIBRARIES = ("torch", "numpy", "pillow")
CPUINFO = Path("/proc/cpuinfo")


def machine(device: torch.device, precision: str, processes: int) -> dict[str, Any]:
    """Return processor, its instruction set as PyTorch uses it, threads, processes, precision and versions.

    Sums are rounded in another order with other threads, instructions or kernels.
    """
    versions = {name: version(name) for name in LIBRARIES}
    return {
        "device": torch.cuda.get_device_name(device) if device.type == "cuda" else device.type,
        "precision": precision,
        "processor": _processor(),
        "instructions": torch.backends.cpu.get_cpu_capability(),
        "threads": torch.get_num_threads(),
        "processes": processes,
        "python": platform.python_version(),
        **versions,
    }


def _processor() -> str:
    """Return the name of the processor, or its architecture if the system does not say."""
    lines = CPUINFO.read_text().splitlines() if CPUINFO.exists() else []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()
