"""Read the files of a directory, tar or zip in place: nothing is extracted, so no path can escape."""

import bz2
import gzip
import lzma
import os
import stat
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from facenet.errors import SourceInvalid

# Raised by the readers of the standard library on damaged or hostile archives.
_DAMAGED = (tarfile.TarError, zipfile.BadZipFile, lzma.LZMAError, zlib.error, EOFError, OSError, ValueError)
_OPENERS: dict[bytes, Callable[[Path, str], Any]] = {
    b"\x1f\x8b": gzip.open,
    b"BZh": bz2.open,
    b"\xfd7zXZ": lzma.open,
}
_ZIP_MAGIC = (b"PK\x03\x04", b"PK\x05\x06")
_CLUTTER = (
    "__MACOSX",
    "Thumbs.db",
    "desktop.ini",
)  # created by operating systems, like names with a leading dot
_BLOCK = 512  # bytes of a tar header
_NAME_BYTES = 2**20  # maximum length of the headers of a long name, however low max_file_bytes is


@dataclass(frozen=True)
class Member:
    """One file of a source.

    path: relative to the root of the source, with "/" between its parts.
    data: its bytes, or None if it was not read; `status` and `reason` then say why.
    """

    path: str
    data: bytes | None
    status: str = ""
    reason: str = ""


def members(path: Path, max_file_bytes: int) -> Iterator[Member]:
    """Yield every file of a directory (sorted) or archive (in archive order), in one sequential pass.

    Yielded with a status and without data: `hidden`, `unsafe` (links, devices, absolute paths, ".."),
    `too_large` and `unreadable` files. Memory is bounded by `max_file_bytes`, whatever the headers claim.

    Raises:
        SourceInvalid: `path` is not a directory, tar or zip, or the whole archive is damaged.
    """
    if path.is_dir():
        yield from _of_directory(path, max_file_bytes)
        return
    with path.open("rb") as file:
        magic = file.read(6)
    try:
        if magic.startswith(_ZIP_MAGIC):
            yield from _of_zip(path, max_file_bytes)
        else:
            yield from _of_tar(path, magic, max_file_bytes)
    except _DAMAGED as error:
        raise SourceInvalid(
            f"{path} is not a directory, tar or zip, or is damaged: {error}. Delete it and download it again."
        ) from error


def _refusal(name: str, size: int, max_file_bytes: int) -> tuple[str, str] | None:
    """Return status and reason if the name or size rules a file out, else None."""
    parts = name.split("/")
    if ".." in parts or name.startswith("/") or name[1:3] == ":/" or any(ord(letter) < 32 for letter in name):
        return "unsafe", "The path is absolute, contains .. or control characters."
    if any(part.startswith(".") or part in _CLUTTER for part in parts):
        return "hidden", "A hidden file, or one created by the operating system."
    if size > max_file_bytes:
        return "too_large", f"{size} bytes; the limit ingest.max_file_bytes is {max_file_bytes}."
    return None


def _clean(name: str) -> str:
    """Return the path as valid UTF-8, without a leading "./"."""
    return name.encode("utf-8", "surrogateescape").decode("utf-8", "replace").removeprefix("./")


def _of_directory(root: Path, max_file_bytes: int) -> Iterator[Member]:
    """Walk a directory, following links to files and to the folders of people, but no deeper links."""
    pending = [(entry, "", 0) for entry in _listing(root)]
    while pending:
        entry, above, depth = pending.pop()
        name = f"{above}{entry.name}"
        try:
            if entry.is_dir(follow_symlinks=depth == 0):
                pending += [(below, f"{name}/", depth + 1) for below in _listing(entry)]
            else:
                yield _of_file(entry, _clean(name), max_file_bytes)
        except OSError as error:
            yield Member(_clean(name), None, "unreadable", f"It cannot be read: {error.strerror}.")


def _listing(folder: "Path | os.DirEntry[str]") -> list["os.DirEntry[str]"]:
    with os.scandir(folder) as entries:
        return sorted(entries, key=lambda entry: entry.name, reverse=True)


def _of_file(entry: "os.DirEntry[str]", name: str, max_file_bytes: int) -> Member:
    about = entry.stat()
    if not stat.S_ISREG(about.st_mode):
        return Member(
            name, None, "unsafe", "Not a regular file, but a link to a folder, a pipe, a socket or a device."
        )
    refusal = _refusal(name, about.st_size, max_file_bytes)
    return Member(name, None, *refusal) if refusal else Member(name, Path(entry.path).read_bytes())


def _of_zip(path: Path, max_file_bytes: int) -> Iterator[Member]:
    with zipfile.ZipFile(path) as archive:
        for info in archive.infolist():
            if not info.is_dir():
                yield _of_zip_member(archive, info, max_file_bytes)


def _of_zip_member(archive: zipfile.ZipFile, info: zipfile.ZipInfo, max_file_bytes: int) -> Member:
    name = _clean(info.filename.replace("\\", "/"))
    if stat.S_IFMT(info.external_attr >> 16) not in (0, stat.S_IFREG):
        return Member(name, None, "unsafe", "Not a regular file, but a link or a device.")
    refusal = _refusal(name, info.file_size, max_file_bytes)
    if refusal:
        return Member(name, None, *refusal)
    try:
        with archive.open(info) as file:
            return Member(name, file.read(max_file_bytes))
    except (RuntimeError, NotImplementedError) as error:  # encrypted, or an unknown compression method
        return Member(name, None, "unsupported", f"It cannot be unpacked: {error}.")
    except _DAMAGED as error:
        return Member(name, None, "corrupt", f"It is damaged in the archive: {error}.")


def _of_tar(path: Path, magic: bytes, max_file_bytes: int) -> Iterator[Member]:
    opener = next((opener for start, opener in _OPENERS.items() if magic.startswith(start)), Path.open)
    with opener(path, "rb") as file:
        forward = _Forward(file, max_file_bytes)
        with tarfile.open(fileobj=forward, mode="r:", encoding="utf-8") as archive:  # type: ignore[call-overload]
            while (info := archive.next()) is not None:
                archive.members.clear()  # else tarfile keeps every header in memory
                if info.size < 0:
                    raise ValueError(f"the header of {info.name} claims {info.size} bytes")
                if not info.isdir():
                    yield _of_tar_member(archive, info, max_file_bytes)
        forward.finish()


def _of_tar_member(archive: tarfile.TarFile, info: tarfile.TarInfo, max_file_bytes: int) -> Member:
    name = _clean(info.name)
    if not info.isreg():
        return Member(name, None, "unsafe", "Not a regular file, but a link, a pipe or a device.")
    refusal = _refusal(name, info.size, max_file_bytes)
    if refusal:
        return Member(name, None, *refusal)
    file = archive.extractfile(info)
    assert file is not None  # as info.isreg()
    return Member(name, file.read())


class _Forward:
    """A file object for tarfile that only moves forward and limits each read to the maximum file size.

    Headers can claim any length: of a name, which tarfile would read into memory, or of a file, where a
    negative one would make it loop for ever.
    """

    def __init__(self, file: IO[bytes], most: int) -> None:
        self._file, self._most, self._last = file, max(most, _NAME_BYTES), b""

    def read(self, length: int) -> bytes:
        if not 0 <= length <= self._most + _BLOCK:
            raise ValueError(f"a header claims a name or an entry of {length} bytes")
        self._last = self._file.read(length)
        return self._last

    def tell(self) -> int:
        return self._file.tell()

    def seek(self, place: int) -> int:
        if place < self._file.tell():
            raise ValueError("a header points backwards")
        return self._file.seek(place)

    def finish(self) -> None:
        """Read to the end, so that checksums are verified.

        Raises:
            ValueError: tarfile stopped at an invalid header and treated it as the end of the archive.
        """
        if self._last.strip(b"\0"):
            raise ValueError("it is truncated, or an entry inside it is damaged")
        while self.read(self._most):
            pass
