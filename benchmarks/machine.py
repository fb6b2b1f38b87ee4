"""Describe the machine of a measurement in one line."""

import platform
from pathlib import Path

import psutil
import torch

from facenet.cores import cores


def processor() -> str:
    """Return the name of the processor."""
    info = Path("/proc/cpuinfo")
    lines = info.read_text().splitlines() if info.exists() else []
    names = [line.split(":")[1].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor() or platform.machine()


def description() -> str:
    """Return processor, cores, memory, system and the relevant versions."""
    memory = psutil.virtual_memory().total / 2**30
    vectors = torch.backends.cpu.get_cpu_capability()
    return (
        f"{processor()}, {cores()} cores, {memory:.0f} GB, {platform.system()} {platform.machine()}, "
        f"Python {platform.python_version()}, torch {torch.__version__} ({vectors})"
    )
