"""Remember the sha256 of files, so that unchanged ones are not read again."""

import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pyarrow as pa

from facenet.digests import file_digest
from tasks.ingest.checked_table import read_checked, write_checked

SETTLED_SECONDS = 2.0  # a file changed again within this time may keep its time stamp
SCHEMA = pa.schema(
    {
        "path": pa.binary(),
        "bytes": pa.int64(),
        "mtime_ns": pa.int64(),
        "inode": pa.uint64(),
        "sha256": pa.string(),
    }
)


class _State(NamedTuple):
    """What changes when a file is changed."""

    length: int
    mtime_ns: int
    inode: int


class FileDigests:
    """Digests by absolute path, size, time of modification and inode, stored in `folder`."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / "digests.arrow"
        self._old: dict[bytes, tuple[_State, str]] = {}
        self._now: dict[bytes, tuple[_State, str]] = {}
        for batch in read_checked(self._path, SCHEMA, "").to_batches():
            for row in batch.to_pylist():
                state = _State(row["bytes"], row["mtime_ns"], row["inode"])
                self._old[row["path"]] = (state, row["sha256"])

    def __call__(self, path: Path) -> str:
        """Return the sha256 of a file as hexadecimal digits.

        Raises:
            OSError: it cannot be read.
        """
        key, about = os.fsencode(path.absolute()), path.stat()
        state = _State(about.st_size, about.st_mtime_ns, about.st_ino)
        known = self._now.get(key) or self._old.get(key)
        digest = known[1] if known and known[0] == state else file_digest(path)
        if time.time() - about.st_mtime > SETTLED_SECONDS:
            self._now[key] = (state, digest)
        return digest

    def write(self) -> None:
        """Store the digests of this run only."""
        if self._now != self._old:
            write_checked(self._path, SCHEMA, "", self._rows())

    def _rows(self) -> Iterator[dict[str, Any]]:
        for path, (state, digest) in sorted(self._now.items()):
            yield {
                "path": path,
                "bytes": state.length,
                "mtime_ns": state.mtime_ns,
                "inode": state.inode,
                "sha256": digest,
            }
