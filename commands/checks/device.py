"""PyTorch and the devices of this machine."""

import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

from commands.checks.finding import Finding, ok, wrong
from commands.checks.workspace import is_workspace, read_params
from facenet.errors import FaceNetError

SECONDS = 10.0
REINSTALL = "unset PIP_EXTRA_INDEX_URL && rm -rf .venv && make setup"
DRIVER = "install a newer NVIDIA driver, or PyTorch for CUDA {}: docs/how-to/gpu.md"


def check_torch() -> Iterator[Finding]:
    """Import PyTorch, and compare its build with the GPUs of this machine."""
    try:
        import torch
    except (ImportError, OSError) as error:  # a missing library of CUDA is either
        yield wrong("torch", f"PyTorch cannot be imported: {error}", "rm -rf .venv && make setup")
        return
    gpus = nvidia_gpus()
    build = torch.version.cuda
    if gpus and build is None:
        message = f"this machine has {', '.join(gpus)}, and PyTorch {torch.__version__} is built for the CPU"
        yield wrong("torch", message, REINSTALL)
    elif gpus and not torch.cuda.is_available():
        message = f"PyTorch {torch.__version__} for CUDA {build} cannot use {', '.join(gpus)}"
        yield wrong("torch", message, DRIVER.format(build))
    else:
        devices = ", ".join(gpus) or "the CPU"
        yield ok("torch", f"{torch.__version__} on {devices}, {torch.get_num_threads()} threads")


def check_device() -> Iterator[Finding]:
    """Check that this machine has the device of params.yaml."""
    if not is_workspace():
        return
    from facenet.devices import resolve_device

    try:
        name = read_params().base.device
    except FaceNetError:
        return  # reported for params.yaml
    try:
        yield ok("device", f"base.device is {name}: {resolve_device(name)}")
    except FaceNetError as error:
        yield wrong("device", str(error), "set base.device: auto in params.yaml")


def nvidia_gpus() -> list[str]:
    """Return the names of the NVIDIA GPUs, by their driver; it need not be one that PyTorch can use."""
    program = shutil.which("nvidia-smi")
    if program is None:
        known = sorted(Path("/proc/driver/nvidia/gpus").glob("*"))
        return [f"an NVIDIA GPU at {path.name}" for path in known]
    command = [program, "--query-gpu=name", "--format=csv,noheader"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=SECONDS)
    except (OSError, subprocess.TimeoutExpired):
        return []
    return done.stdout.splitlines() if done.returncode == 0 else []
