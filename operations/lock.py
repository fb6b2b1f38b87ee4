"""One command at a time starts, stops or switches the servers of a folder."""

import fcntl
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from operations.folder import Folder


@contextmanager
def exclusive(folder: Folder) -> Iterator[None]:
    """Hold the lock of a folder; wait for another command. The kernel releases it when its process ends."""
    with folder.lock.open("a") as file:
        try:
            fcntl.flock(file.fileno(), fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            sys.stderr.write(f"Waiting for another command that starts or stops {folder.path}.\n")
            fcntl.flock(file.fileno(), fcntl.LOCK_EX)
        yield
