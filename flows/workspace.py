"""One flow run at a time in a workspace, whoever started it."""

import fcntl
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from facenet.errors import FaceNetError

LOCK = Path(".dvc/tmp/flow.lock")
POLL_SECONDS = 1.0


class WorkspaceInvalid(FaceNetError):
    """The working folder is not the root of a DVC repository."""


@contextmanager
def exclusive(run: str, on_wait: Callable[[str], None]) -> Iterator[None]:
    """Hold the workspace in the working folder; while another run holds it wait, and tell `on_wait` which.

    The lock is the kernel's: it goes with the process that holds it, so none is ever stale.

    Raises:
        WorkspaceInvalid: the working folder has no .dvc.
    """
    if not Path(".dvc").is_dir():
        raise WorkspaceInvalid(
            f"{Path.cwd()} is not a DVC workspace. Change to the root of the project, or `dvc init`."
        )
    LOCK.parent.mkdir(exist_ok=True)
    with LOCK.open("a+") as file:
        _acquire(file.fileno(), on_wait)
        file.truncate(0)
        file.write(f"{run}, process {os.getpid()}")
        file.flush()
        try:
            yield
        finally:
            file.truncate(0)


def _acquire(descriptor: int, on_wait: Callable[[str], None]) -> None:
    told = False
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if not told:
                on_wait(f"Waiting for {LOCK.read_text() or 'another run'}, which works in {Path.cwd()}.")
            told = True
            time.sleep(POLL_SECONDS)
        else:
            return
