"""Write files atomically: a reader sees the old content or the new, never a part of it."""

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from facenet.storage import explain_write

TEMPORARY = ".tmp-"


@contextmanager
def atomic_path(path: Path) -> Iterator[Path]:
    """Yield a temporary path next to `path`; on success sync and rename it, on error remove it.

    Raises:
        StorageFailed: the disk is full, the folder is not writable, or `path` is a folder; it is then
            unchanged.
    """
    temporary = path.with_name(f"{TEMPORARY}{os.getpid()}-{path.name}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        yield temporary
        with temporary.open("rb+") as file:
            os.fsync(file.fileno())
        temporary.replace(path)
    except BaseException as error:
        failure = explain_write(error, path, temporary) if isinstance(error, Exception) else None
        with suppress(OSError):  # the first error counts
            temporary.unlink(missing_ok=True)
        if failure is not None:
            raise failure from error
        raise


def write_bytes(path: Path, content: bytes) -> None:
    """Write `content` to `path` atomically."""
    with atomic_path(path) as temporary:
        temporary.write_bytes(content)


def write_text(path: Path, content: str) -> None:
    """Write `content` to `path` atomically, as UTF-8."""
    write_bytes(path, content.encode())


def remove_temporaries(folder: Path) -> None:
    """Remove the partial files that killed processes left in `folder`."""
    for leftover in sorted(folder.glob(f"{TEMPORARY}*")):
        leftover.unlink()
