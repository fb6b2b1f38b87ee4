"""Read the files of a directory, tar or zip in place: nothing is extracted, so no path can escape."""

import bz2
import gzip
import lzma
import stat
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from facenet.errors import SourceInvalid
from tasks.ingest.directory import walk
from tasks.ingest.names import clean_name, refusal

# Raised by the readers of the standard library on damaged or hostile archives.
_DAMAGED = (tarfile.TarError, zipfile.BadZipFile, lzma.LZMAError, zlib.error, EOFError, OSError, ValueError)
_OPENERS: dict[bytes, Callable[[Path, str], Any]] = {
    b"\x1f\x8b": gzip.open,
    b"BZh": bz2.open,
    b"\xfd7zXZ": lzma.open,
}
_ZIP_MAGIC = (b"PK\x03\x04", b"PK\x05\x06")
_ZIP_UTF8 = 0x800  # flag of a name in UTF-8; without it, zipfile decodes names as code page 437
_FOREIGN = {  # what an unreadable file is, by its first bytes
    b"Rar!": "a RAR archive",
    b"7z\xbc\xaf\x27\x1c": "a 7z archive",
    b"\x28\xb5\x2f\xfd": "compressed with Zstandard",
    b"\xff\xd8\xff": "a single photo",
    b"\x89PNG": "a single photo",
    b"RIFF": "a single photo",
    b"GIF8": "a single photo",
    b"BM": "a single photo",
    b"II*\0": "a single photo",
    b"MM\0*": "a single photo",
}
LAYOUT = (
    "A source is a directory, a tar (plain, gz, bz2 or xz) or a zip with one folder of photos per person, "
    "such as photos/Ada Lovelace/1.jpg."
)
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
    magic = _first_bytes(path)
    try:
        if magic.startswith(_ZIP_MAGIC):
            yield from _of_zip(path, max_file_bytes)
        else:
            yield from _of_tar(path, magic, max_file_bytes)
    except _DAMAGED as error:
        raise SourceInvalid(_diagnosis(path, magic, error)) from error


def _first_bytes(path: Path) -> bytes:
    if not path.is_file():  # opening a pipe would wait for ever
        raise SourceInvalid(f"{path} is not a file or directory. {LAYOUT}")
    try:
        with path.open("rb") as file:
            return file.read(12)
    except OSError as error:
        raise SourceInvalid(f"{path} cannot be read: {error.strerror}. Correct its permissions.") from error


def check_format(path: Path) -> None:
    """Check that a file is not an archive that cannot be read, or a photo; it may be a list.

    Raises:
        SourceInvalid: with what it is.
    """
    magic = _first_bytes(path)
    if _foreign(magic) and b"\0" in magic and not tarfile.is_tarfile(path):  # no list has a zero byte
        raise SourceInvalid(_diagnosis(path, magic))


def _foreign(magic: bytes) -> str | None:
    if magic[4:8] == b"ftyp":  # HEIC and AVIF
        return "a single photo"
    return next((what for start, what in _FOREIGN.items() if magic.startswith(start)), None)


def _diagnosis(path: Path, magic: bytes, error: BaseException | None = None) -> str:
    if what := _foreign(magic):
        return f"{path} is {what}, not a directory, tar or zip. {LAYOUT}"
    return f"{path} is not a directory, tar or zip, or is damaged: {error}. Delete it and download it again."


def _of_directory(root: Path, max_file_bytes: int) -> Iterator[Member]:
    for entry in walk(root, max_file_bytes):
        if entry.refused:
            yield Member(entry.name, None, *entry.refused)
            continue
        try:
            yield Member(entry.name, entry.path.read_bytes())
        except OSError as error:
            yield Member(entry.name, None, "unreadable", f"It cannot be read: {error.strerror}.")


def _of_zip(path: Path, max_file_bytes: int) -> Iterator[Member]:
    with zipfile.ZipFile(path) as archive:
        for info in archive.infolist():
            if not info.is_dir():
                yield _of_zip_member(archive, info, max_file_bytes)


def _of_zip_member(archive: zipfile.ZipFile, info: zipfile.ZipInfo, max_file_bytes: int) -> Member:
    name = _zip_name(info)
    if stat.S_IFMT(info.external_attr >> 16) not in (0, stat.S_IFREG):
        return Member(name, None, "unsafe", "Not a regular file, but a link or a device.")
    refused = refusal(name, info.file_size, max_file_bytes)
    if refused:
        return Member(name, None, *refused)
    try:
        with archive.open(info) as file:
            return Member(name, file.read(max_file_bytes))
    except (RuntimeError, NotImplementedError) as error:  # encrypted, or an unknown compression method
        return Member(name, None, "unsupported", f"It cannot be unpacked: {error}.")
    except _DAMAGED as error:
        return Member(name, None, "corrupt", f"It is damaged in the archive: {error}.")


def _zip_name(info: zipfile.ZipInfo) -> str:
    """Return the path of a file in a zip; macOS writes UTF-8 without the flag that says so."""
    name = info.filename
    if not info.flag_bits & _ZIP_UTF8:
        with suppress(UnicodeError):  # it is not UTF-8, but code page 437 indeed
            name = name.encode("cp437").decode("utf-8")
    return clean_name(name.replace("\\", "/"))


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
    name = clean_name(info.name)
    if not info.isreg():
        return Member(name, None, "unsafe", "Not a regular file, but a link, a pipe or a device.")
    refused = refusal(name, info.size, max_file_bytes)
    if refused:
        return Member(name, None, *refused)
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
        """Return the next bytes; a header may not ask for more than a file or a name can have."""
        if not 0 <= length <= self._most + _BLOCK:
            raise ValueError(f"a header claims a name or an entry of {length} bytes")
        self._last = self._file.read(length)
        return self._last

    def tell(self) -> int:
        """Return the position in the unpacked stream."""
        return self._file.tell()

    def seek(self, place: int) -> int:
        """Skip forward to a position; moving back is refused."""
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
