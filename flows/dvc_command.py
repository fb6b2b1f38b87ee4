"""DVC as a child process: its command line, and the environment in which its stages find our Python."""

import os
import sys
from pathlib import Path


def dvc_command(*words: str) -> list[str]:
    """Return the command that runs DVC of this environment; it waits for DVC's lock on the repository."""
    return [sys.executable, "-m", "dvc", "--wait-for-lock", *words]


def dvc_environment() -> dict[str, str]:
    """Return our environment with this interpreter first on the PATH, since dvc.yaml runs `python`."""
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", os.defpath)])
    return {**os.environ, "PATH": path, "PYTHONUNBUFFERED": "1"}
