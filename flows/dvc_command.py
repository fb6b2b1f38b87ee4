"""DVC as a child process: its command line, its environment, and the steps that come before a stage."""

import json
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import yaml

_ONE_BY_ONE = """\
import json, sys
from dvc.cli import main
sys.exit(next((code for words in json.loads(sys.argv[1]) if (code := main(words))), 0))
"""


def dvc_command(*words: str) -> list[str]:
    """Return the command that runs DVC of this environment; it waits for DVC's lock on the repository."""
    return [sys.executable, "-m", "dvc", "--wait-for-lock", *words]


def dvc_commands(*commands: Sequence[str]) -> list[str]:
    """Return the command that runs several commands of DVC, up to one that fails; DVC starts only once."""
    waiting = [["--wait-for-lock", *words] for words in commands]
    return [sys.executable, "-c", _ONE_BY_ONE, json.dumps(waiting, allow_nan=False)]


def dvc_environment() -> dict[str, str]:
    """Return our environment with this interpreter first on the PATH, since dvc.yaml runs `python`."""
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", os.defpath)])
    return {**os.environ, "PATH": path, "PYTHONUNBUFFERED": "1"}


def steps_of(stage: str, folder: Path) -> list[str]:
    """Return the steps that always run and write what the stage reads, as that of ingest's sources does."""
    stages: dict[str, dict[str, Any]] = yaml.safe_load((folder / "dvc.yaml").read_text())["stages"]
    deps = set(stages.get(stage, {}).get("deps", ()))
    always = {name: step.get("outs", ()) for name, step in stages.items() if step.get("always_changed")}
    paths = {
        name: {out if isinstance(out, str) else next(iter(out)) for out in always[name]} for name in always
    }
    return [name for name in always if deps & paths[name]]
