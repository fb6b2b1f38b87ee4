"""Choose device, numeric precision and number of threads at run time."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import torch

from facenet.errors import ParamsInvalid

PRECISIONS = {"fp32": torch.float32, "bf16": torch.bfloat16, "fp16": torch.float16}


def resolve_device(name: str) -> torch.device:
    """Return the device called `name`; "auto" selects CUDA, else Apple's MPS, else the CPU.

    Raises:
        ParamsInvalid: the named device is not available on this machine.
    """
    available = {"cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available(), "cpu": True}
    if name == "auto":
        return torch.device(next(kind for kind, here in available.items() if here))
    device = _parsed(name)
    if device is None or not available.get(device.type, False) or (device.index or 0) >= _count(device.type):
        raise ParamsInvalid(
            f"The device {name!r} (base.device, --device) is not available on this machine. Use auto or cpu."
        )
    return device


def _parsed(name: str) -> torch.device | None:
    try:
        return torch.device(name)
    except RuntimeError:
        return None


def _count(kind: str) -> int:
    """Return the number of devices of a kind that this machine has."""
    return torch.cuda.device_count() if kind == "cuda" else 1


def resolve_precision(name: str, device: torch.device) -> str:
    """Return fp32, bf16 or fp16; "auto" is bf16 where the hardware supports it natively, else fp32."""
    if name != "auto":
        return name
    if device.type == "cuda":
        return "bf16" if torch.cuda.is_bf16_supported() else "fp32"
    return "bf16" if device.type == "cpu" and _cpu_multiplies_bf16() else "fp32"


def _cpu_multiplies_bf16() -> bool:
    cpuinfo = Path("/proc/cpuinfo")
    flags = cpuinfo.read_text().split() if cpuinfo.exists() else []
    return "avx512_bf16" in flags or "amx_bf16" in flags


def autocast(device: torch.device, precision: str) -> torch.autocast:
    """Return the autocast context for `precision` ("fp32", "bf16" or "fp16") on `device`."""
    return torch.autocast(device.type, dtype=PRECISIONS[precision], enabled=precision != "fp32")


@contextmanager
def cpu_threads(count: int) -> Iterator[None]:
    """Make PyTorch use `count` CPU threads, and restore the previous number afterwards."""
    before = torch.get_num_threads()
    torch.set_num_threads(count)
    try:
        yield
    finally:
        torch.set_num_threads(before)
