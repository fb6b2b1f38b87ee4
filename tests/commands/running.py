"""Run the `facenet` command in this process, or as a process of its own."""

import os
import subprocess
import sys
from pathlib import Path
from typing import IO

import pytest

from commands.main import main

ROOT = Path(__file__).parents[2]


def facenet(*words: str | Path) -> int:
    """Run the command here; return its exit code."""
    with pytest.raises(SystemExit) as stop:
        main([str(word) for word in words])
    assert isinstance(stop.value.code, int)
    return stop.value.code


def facenet_process(
    folder: Path, *words: str, stdin: IO[bytes] | None = None, **environment: str
) -> "subprocess.CompletedProcess[str]":
    """Run the command in `folder` as users do."""
    return subprocess.run(
        [sys.executable, "-m", "commands.main", *words],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT), **environment},
        stdin=stdin,
        capture_output=True,
        text=True,
        check=False,
    )
