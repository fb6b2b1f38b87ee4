"""Photos on disk between decoding (in source order) and writing (in table order)."""

import os
import tempfile
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Self

from facenet.storage import named


class Spool:
    """Bytes by key in an unnamed temporary file, which disappears however the process ends.

    Raises:
        StorageFailed: in each method, if the disk of `folder` is full or fails.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        self._file = tempfile.TemporaryFile(dir=folder)  # noqa: SIM115 - closed by __exit__
        self._places: dict[str, tuple[int, int]] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with suppress(OSError):  # the content is not needed any more
            self._file.close()

    def add(self, key: str, data: bytes) -> None:
        """Store `data` under a new key."""
        self._places[key] = (self._file.tell(), len(data))
        with named(self._folder):
            self._file.write(data)

    def size(self, key: str) -> int:
        """Return the number of bytes under a key."""
        return self._places[key][1]

    def read(self, key: str) -> bytes:
        """Return the bytes under a key.

        Raises:
            KeyError: unknown key.
        """
        start, length = self._places[key]
        with named(self._folder):
            self._file.flush()
            return os.pread(self._file.fileno(), length, start)
