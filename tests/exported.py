"""The pretrained model, exported once for all test processes."""

import fcntl
import os
from pathlib import Path

import pytest


def exported_folder(base: Path) -> Path:
    """Return the export of the pretrained model in `base`, which processes share; the first one writes it."""
    from facenet import pretrained
    from facenet.export import export

    folder, done = base / "exported", base / "exported.done"
    with (base / "exported.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not done.exists():
            export(pretrained.folder(), folder)
            done.touch()
    return folder


def shared_base(factory: pytest.TempPathFactory) -> Path:
    """Return a folder of this run of pytest; with pytest-xdist all its processes have the same one."""
    base = factory.getbasetemp()
    return base.parent if "PYTEST_XDIST_WORKER" in os.environ else base
