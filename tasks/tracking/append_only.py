"""Files that only grow, line by line, in a folder that one process at a time has locked."""

import fcntl
import os
from pathlib import Path
from typing import Any

from facenet.errors import FaceNetError

LOCK = "lock"


class FolderBusy(FaceNetError):
    """Another process has the folder open."""


def lock_folder(folder: Path, *, wait: bool) -> Any:
    """Return the open lock file of a folder, which is created if necessary; closing it unlocks the folder.

    Raises:
        FolderBusy: another process has the lock, and `wait` is false.
    """
    while True:
        folder.mkdir(parents=True, exist_ok=True)
        try:
            file = (folder / LOCK).open("a")
        except FileNotFoundError:  # removed in the meantime
            continue
        try:
            fcntl.flock(file, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
        except BlockingIOError:
            file.close()
            raise FolderBusy(f"Another process has {folder} open.") from None
        if _is_current(file, folder / LOCK):
            return file
        file.close()


def _is_current(file: Any, path: Path) -> bool:
    """Return whether an open file is still the one at that path: its folder may have been removed."""
    try:
        return os.path.samestat(os.fstat(file.fileno()), path.stat())
    except FileNotFoundError:
        return False


def open_lines(path: Path) -> Any:
    """Return the file, open for appending, without the incomplete line that a killed process left."""
    file = path.open("ab", buffering=0)
    content = path.read_bytes()
    file.truncate(content.rfind(b"\n") + 1)
    return file


def append_line(file: Any, line: bytes) -> None:
    """Append a line, or nothing if the disk is full."""
    before, written = file.seek(0, os.SEEK_END), 0
    try:
        while written < len(line):
            written += file.write(line[written:])
    except OSError:
        file.truncate(before)
        raise
