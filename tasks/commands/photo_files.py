"""The photos that a command line names: files, folders and standard input."""

import os
import stat
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from facenet.images import FORMATS
from facenet.images.signatures import SIGNATURE_BYTES, supported_format

STDIN = "-"
MAX_FILE_BYTES = 200_000_000
# Suffixes of photos that a folder is searched for; files with the signature of one of FORMATS count as well.
SUFFIXES = (
    *(".jpg", ".jpeg", ".jpe", ".jfif", ".mpo", ".png", ".apng", ".webp", ".avif", ".gif", ".bmp", ".dib"),
    *(".tif", ".tiff", ".ppm", ".pgm", ".pbm", ".pnm", ".pfm", ".jp2", ".j2k", ".jpc", ".jpf", ".jpx"),
    *(".heic", ".heif", ".hif", ".jxl", ".tga", ".psd", ".cr2", ".cr3", ".nef", ".arw", ".dng", ".raf"),
)
NONE_FOUND = f"No photos in this folder or below it; photos are files of {', '.join(FORMATS)}"


class Unreadable(Exception):
    """An argument cannot be read; the message is the reason alone."""


@dataclass(frozen=True)
class Argument:
    """One photo to read, or the reason why an argument names none."""

    path: str
    problem: str = ""


def expand(arguments: Sequence[str], *, without: Path | None = None) -> list[Argument]:
    """Return the photos that the arguments name, in their order.

    A folder gives the photos in it and in all folders below it, sorted by path, without hidden files, hidden
    folders and the folder `without`. A folder without photos, or one that cannot be listed, gives the reason.
    """
    return [photo for argument in arguments for photo in _photos_of(argument, without)]


def read(path: str) -> bytes:
    """Return the content of a photo, `-` being standard input.

    Raises:
        Unreadable: it is missing, a folder, too large, or its name is not valid.
    """
    try:
        if path == STDIN:
            data = sys.stdin.buffer.read(MAX_FILE_BYTES + 1)
        else:
            with Path(path).open("rb") as file:
                data = file.read(MAX_FILE_BYTES + 1)  # a device may be endless
    except (OSError, ValueError) as error:
        raise Unreadable(getattr(error, "strerror", None) or str(error)) from error
    if len(data) > MAX_FILE_BYTES:
        raise Unreadable(f"More than {MAX_FILE_BYTES} bytes.")
    return data


def _photos_of(argument: str, without: Path | None) -> Iterator[Argument]:
    if argument == STDIN or not os.path.isdir(argument):  # noqa: PTH112  # of names that Path refuses, too
        yield Argument(argument)
        return
    problems: list[OSError] = []
    paths = sorted(_below(argument, without, problems))
    yield from (Argument(path) for path in paths)
    yield from (Argument(str(error.filename), f"{error.strerror}.") for error in problems)
    if not paths and not problems:
        yield Argument(argument, f"{NONE_FOUND}.")


def _below(folder: str, without: Path | None, problems: list[OSError]) -> Iterator[str]:
    """Yield the photos in and below a folder; links to files are followed, links to folders are not."""
    for parent, folders, files in os.walk(folder, onerror=problems.append):
        folders[:] = [name for name in folders if not name.startswith(".")]
        if without is not None and os.path.realpath(parent) == os.path.realpath(without):
            folders.clear()
            continue
        paths = (os.path.join(parent, name) for name in files if not name.startswith("."))  # noqa: PTH118
        yield from (path for path in paths if _is_photo(path))


def _is_photo(path: str) -> bool:
    """Return whether a regular file, which may be unreadable, looks like a photo."""
    try:
        if not stat.S_ISREG(os.stat(path).st_mode):  # noqa: PTH116  # opening a pipe would wait for its writer
            return False
        if os.path.splitext(path)[1].lower() in SUFFIXES:  # noqa: PTH122
            return True
        with Path(path).open("rb") as file:
            return supported_format(file.read(SIGNATURE_BYTES * 16)) is not None
    except OSError:
        return False
