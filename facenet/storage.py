"""Explain failed reads and writes: which file, why, and what to do about it."""

import errno
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from facenet.errors import StorageFailed

_FREE = "Free some space and run the command again"
_RIGHTS = "Change its owner or mode (see `ls -ld`), or use another place"
_EXPLANATIONS = {
    errno.ENOSPC: ("the disk is full", _FREE),
    errno.EDQUOT: ("the disk quota is used up", _FREE),
    errno.EFBIG: ("the file would be larger than this process may write", "See `ulimit -f`"),
    errno.EROFS: ("the file system is read-only", "Mount it writable, or use another place"),
    errno.EACCES: ("permission denied", _RIGHTS),
    errno.EPERM: ("permission denied", _RIGHTS),
    errno.EISDIR: ("this is a folder, but a file is needed here", "Move it away, or name a file"),
    errno.ENOTDIR: ("a file is where a folder is needed", "Move it away"),
    errno.EEXIST: ("a file is where a folder is needed", "Move it away"),
    errno.ENAMETOOLONG: ("the name is too long", "Use a shorter one"),
    errno.EIO: ("the disk reports an input/output error", "Check the disk and how it is mounted"),
    errno.EMFILE: ("too many files are open", "See `ulimit -n`"),
}
# Messages of torch and safetensors for a file that cannot be written; neither raises an OSError.
_WRITERS = re.compile(
    r"inline_container|PytorchStreamWriter|basic_ios|iostream error|cannot be opened|os error \d+"
)
_NUMBER = re.compile(r"os error (\d+)")
_PROBE_BYTES = 2**16
_LITTLE_SPACE = 2**20  # bytes


def explain(error: OSError, path: Path | None = None) -> StorageFailed | None:
    """Return an error that names file, cause and fix, or None if it is not a storage problem.

    path: the file to name; by default the one that the error names.
    """
    if error.errno not in _EXPLANATIONS:
        return None
    file = error.filename2 or error.filename
    return _failure(file if path is None and file is not None else path or error, error.errno)


@contextmanager
def named(path: Path) -> Iterator[None]:
    """Name `path` in a storage problem that names no file, as when the disk is full during a write.

    Raises:
        StorageFailed: a storage problem that names no file; other errors are unchanged.
    """
    try:
        yield
    except OSError as error:
        failure = explain(error, path) if error.filename is None else None
        if failure is None:
            raise
        raise failure from error


def explain_write(error: Exception, path: Path, temporary: Path) -> StorageFailed | None:
    """Return an error for a failed attempt to write `path` via `temporary`, or None for any other failure.

    torch does not report the cause; it is determined by trying to write more to `temporary`.
    """
    if isinstance(error, OSError):
        ours = error.filename is None or Path(str(error.filename)) == temporary
        return explain(error, path if ours else None)
    if not _WRITERS.search(str(error)):
        return None
    number = _NUMBER.search(str(error))
    cause = int(number[1]) if number else _probe(temporary)
    if cause in _EXPLANATIONS:
        return _failure(path, cause)
    return StorageFailed(f"{path} cannot be written: {error}. Check the disk and the rights of its folder.")


def _failure(place: object, cause: int) -> StorageFailed:
    problem, fix = _EXPLANATIONS[cause]
    name = place.decode(errors="replace") if isinstance(place, bytes) else place
    return StorageFailed(f"{name}: {problem}. {fix}.")


def _probe(temporary: Path) -> int | None:
    """Return the error number of an attempt to append to a file, or None if it succeeds."""
    try:
        with temporary.open("ab") as file:
            file.write(bytes(_PROBE_BYTES))
        return errno.ENOSPC if shutil.disk_usage(temporary.parent).free < _LITTLE_SPACE else None
    except OSError as error:
        return error.errno
