"""The photos named on a command line: files, folders and standard input."""

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
# In folders, files with one of these suffixes or with the signature of one of FORMATS are photos.
SUFFIXES = (
    *(".jpg", ".jpeg", ".jpe", ".jfif", ".mpo", ".png", ".apng", ".webp", ".avif", ".gif", ".bmp", ".dib"),
    *(".tif", ".tiff", ".ppm", ".pgm", ".pbm", ".pnm", ".pfm", ".jp2", ".j2k", ".jpc", ".jpf", ".jpx"),
    *(".heic", ".heif", ".hif", ".jxl", ".tga", ".psd", ".cr2", ".cr3", ".nef", ".arw", ".dng", ".raf"),
)
NONE_FOUND = f"No photos in this folder or below it; photos are files of {', '.join(FORMATS)}"


class Unreadable(Exception):
    """A photo cannot be read; the message is only the reason."""


@dataclass(frozen=True)
class Argument:
    """One photo to read, or the reason why an argument provides none."""

    path: str
    problem: str = ""


def expand(arguments: Sequence[str], *, without: Path | None = None) -> list[Argument]:
    """Return the photos that the arguments name, in order.

    Folders are searched recursively, sorted by path, skipping hidden files, hidden folders and the folder
    `without`. A folder that has no photos or cannot be listed becomes an argument with a problem.
    """
    return [photo for argument in arguments for photo in _photos_of(argument, without)]


def read(path: str) -> bytes:
    """Return the content of a photo; `-` is standard input.

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
    """Yield the photos in a folder, recursively; links to files are followed, links to folders are not."""
    for parent, folders, files in os.walk(folder, onerror=problems.append):
        folders[:] = [name for name in folders if not name.startswith(".")]
        if without is not None and os.path.realpath(parent) == os.path.realpath(without):
            folders.clear()
            continue
        paths = (os.path.join(parent, name) for name in files if not name.startswith("."))  # noqa: PTH118
        yield from (path for path in paths if _is_photo(path))


def _is_photo(path: str) -> bool:
    """Return whether a path is a regular file that looks like a photo, readable or not."""
    try:
        if not stat.S_ISREG(os.stat(path).st_mode):  # noqa: PTH116  # opening a pipe would block
            return False
        if os.path.splitext(path)[1].lower() in SUFFIXES:  # noqa: PTH122
            return True
        with Path(path).open("rb") as file:
            return supported_format(file.read(SIGNATURE_BYTES * 16)) is not None
    except OSError:
        return False
