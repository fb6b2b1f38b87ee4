"""Keep others out of the workspace while a person is forgotten: flow runs by their lock, DVC by its own."""

import fcntl
import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psutil

from facenet.errors import FaceNetError
from flows.workspace import LOCK, WorkspaceInvalid

RUNNING = Path(".dvc/tmp/rwlock")  # of stages that run, which hold no other lock of DVC


class WorkspaceBusy(FaceNetError):
    """A run or DVC works in the workspace."""


@contextmanager
def alone(root: Path) -> Iterator[None]:
    """Hold the locks of a workspace; never wait for them.

    Raises:
        WorkspaceBusy: a flow run, a stage or another command of DVC holds one.
        WorkspaceInvalid: the folder is not a DVC workspace, or not writable.
    """
    if not (root / ".dvc").is_dir():
        raise WorkspaceInvalid(f"{root} is not a DVC workspace. Change to the root of the project.")
    try:
        (root / LOCK).parent.mkdir(exist_ok=True)
        file = (root / LOCK).open("a+")
    except OSError as error:
        raise WorkspaceInvalid(f"{root} cannot be locked: {error}. It has to be writable.") from error
    with file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = (root / LOCK).read_text() or "a flow run"
            raise WorkspaceBusy(
                f"{holder} works in {root}. Wait for its end, then run the command again."
            ) from None
        if command := _running_stage(root / RUNNING):
            raise WorkspaceBusy(f"`{command}` runs in {root}. Wait for its end, then run the command again.")
        with _dvc_lock(root):
            yield


@contextmanager
def _dvc_lock(root: Path) -> Iterator[None]:
    from dvc.lock import LockError
    from dvc.repo import Repo

    with Repo(str(root)) as repo:
        lock: Any = repo.lock
        try:
            lock.lock()
        except LockError as error:
            raise WorkspaceBusy(f"DVC works in {root}: wait for its end. It says: {error}.") from error
        try:
            yield
        finally:
            lock.unlock()


def _running_stage(path: Path) -> str | None:
    """Return the command of a living process that DVC has noted as running a stage."""
    try:
        noted = json.loads(path.read_text() or "{}")
    except (OSError, ValueError):
        return None
    for holders in noted.values():
        writer = holders.get("write")
        for holder in [*holders.get("read", []), *([writer] if writer else [])]:
            if psutil.pid_exists(holder["pid"]):
                return str(holder["cmd"])
    return None
