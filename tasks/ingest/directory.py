"""Walk a source that is a directory, without reading its files."""

import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from facenet.errors import SourceInvalid
from tasks.ingest.names import Refusal, clean_name, refusal


@dataclass(frozen=True)
class Entry:
    """One file of a directory.

    name: path relative to the directory, as valid UTF-8. path: where to read it. about: its stat result, None
    if `refused`, which is the status and reason of a file that must not be read.
    """

    name: str
    path: Path
    about: os.stat_result | None
    refused: Refusal | None


def walk(root: Path, max_file_bytes: int) -> Iterator[Entry]:
    """Yield every file below `root`, sorted, following links to files and to the folders of people.

    Deeper links to folders, pipes, sockets and devices are yielded as `unsafe`, and none of them is opened.

    Raises:
        SourceInvalid: `root` cannot be listed.
    """
    try:
        pending = [(entry, "", 0) for entry in _listing(root)]
    except OSError as error:
        raise SourceInvalid(f"{root} cannot be read: {error.strerror}. Correct its permissions.") from error
    while pending:
        entry, above, depth = pending.pop()
        inner = f"{above}{entry.name}"
        try:
            if entry.is_dir(follow_symlinks=depth == 0):
                pending += [(below, f"{inner}/", depth + 1) for below in _listing(entry)]
                continue
        except OSError as error:
            yield _unreadable(entry, clean_name(inner), error)
        else:
            yield _entry(entry, clean_name(inner), max_file_bytes)


def _listing(folder: "Path | os.DirEntry[str]") -> list["os.DirEntry[str]"]:
    with os.scandir(folder) as entries:
        return sorted(entries, key=lambda entry: entry.name, reverse=True)


def _entry(entry: "os.DirEntry[str]", name: str, max_file_bytes: int) -> Entry:
    refused = refusal(name, 0, max_file_bytes)
    if refused:
        return Entry(name, Path(entry.path), None, refused)
    try:
        about = entry.stat()
    except OSError as error:  # such as a broken link
        return _unreadable(entry, name, error)
    if not stat.S_ISREG(about.st_mode):
        refused = "unsafe", "Not a regular file, but a link to a folder, a pipe, a socket or a device."
    refused = refused or refusal(name, about.st_size, max_file_bytes)
    return Entry(name, Path(entry.path), None if refused else about, refused)


def _unreadable(entry: "os.DirEntry[str]", name: str, error: OSError) -> Entry:
    refused = refusal(name, 0, 0) or ("unreadable", f"It cannot be read: {error.strerror}.")
    return Entry(name, Path(entry.path), None, refused)
