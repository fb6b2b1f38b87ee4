"""Ensure that only one flow run at a time works in a workspace."""

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
    """The working folder is not the root of a DVC repository, or not writable."""


@contextmanager
def exclusive(run: str, on_wait: Callable[[str], None]) -> Iterator[None]:
    """Lock the workspace in the working folder; while another run holds it, wait and call `on_wait` once.

    The kernel releases the lock when its process ends, so it is never stale.

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
    notified = False
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if not notified:
                on_wait(f"Waiting for {LOCK.read_text() or 'another run'} in {Path.cwd()}.")
            notified = True
            time.sleep(POLL_SECONDS)
        else:
            return
