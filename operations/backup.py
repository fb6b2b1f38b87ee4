"""`make backup TO=FOLDER`: databases, artifacts, DVC cache and remotes in one folder, while all is in use.

Databases are copied first, each at one moment in time: the artifacts and data that they name exist by then.
"""

import argparse
import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

from facenet.atomic import TEMPORARY
from facenet.digests import file_digest
from facenet.storage import explain
from operations import dumps
from operations.errors import ServicesFailed
from operations.folder import Folder
from operations.manifest import Manifest
from operations.places import Places, files, find_places
from operations.sqlite import copy_database, is_database
from tasks.entry import stage_main

CHUNK = 1 << 20
LIBRARIES = ("mlflow", "prefect", "dvc")


def main(arguments: Sequence[str] | None = None) -> None:
    """Back up the workspace in the working folder; an expected error is one message and exit code 1."""
    parser = argparse.ArgumentParser(
        prog="python -m operations.backup", description=__doc__.partition("\n")[0]
    )
    parser.add_argument("folder", type=Path, help="a folder that does not exist, or is empty")
    folder = parser.parse_args(arguments).folder
    places = find_places(Path.cwd(), Folder.chosen())
    stage_main(lambda: _print(back_up(places, folder.absolute(), _print)))


def back_up(places: Places, target: Path, said: Callable[[str], None]) -> str:
    """Write a backup to `target`, and return a sentence about it.

    It is written next to the target and renamed at the end: an interrupted backup leaves nothing.

    Raises:
        ServicesFailed: the target is not empty or in the workspace, a database is damaged, or PostgreSQL does
            not run.
        StorageFailed: the disk is full, or the target is not writable.
    """
    _check(places, target)
    target.parent.mkdir(parents=True, exist_ok=True)
    partial = Path(tempfile.mkdtemp(prefix=f"{target.name}.partial-", dir=target.parent))
    try:
        copy = Copy(partial)
        databases = dumps.dump(places.services, partial, copy.digests)
        with dumps.paused_store(places.services):
            for name, place in _listed(places):
                copy.add(name, place)
        said(f"Copied {len(copy.digests)} files.")
        manifest = Manifest(
            workspace=str(places.workspace),
            services=str(places.services.path),
            commit=_commit(places.workspace),
            made=datetime.now(UTC).isoformat(timespec="seconds"),
            versions={library: version(library) for library in LIBRARIES},
            remotes={name: str(path) for name, path in places.remotes.items()},
            databases=databases,
            files=dict(sorted(copy.digests.items())),
        )
        manifest.write(partial)
        partial.rename(target)  # over an empty folder as well
    except BaseException:
        shutil.rmtree(partial, ignore_errors=True)
        raise
    return f"The backup is in {target}. Restore it with `make restore FROM={target}`."


def _check(places: Places, target: Path) -> None:
    if target.exists() and (not target.is_dir() or any(target.iterdir())):
        raise ServicesFailed(f"{target} is not empty. Back up to a new folder, such as {target}/2026-11-30.")
    for place in (places.workspace / ".dvc", places.services.path, *places.remotes.values()):
        if target.is_relative_to(place):
            raise ServicesFailed(f"{target} is in {place}, which is backed up. Choose a folder outside.")


def _listed(places: Places) -> list[tuple[str, Path]]:
    """Return the path in the backup and the source of each file: databases first, then as in `entries`."""
    found = []
    for name, place in places.entries():
        for path in files(place):
            inner = path.relative_to(place).as_posix()
            found.append((name if inner == "." else f"{name}/{inner}", path))
    return sorted(found, key=lambda entry: not _is_database(entry[1]))


def _is_database(path: Path) -> bool:
    try:
        return is_database(path)
    except FileNotFoundError:
        return False


class Copy:
    """Files copied to a folder, with their sha256 by name.

    DVC's cache and a remote have the same files: a second one becomes a link to the first, where the file
    system has links.
    """

    def __init__(self, folder: Path) -> None:
        self.digests: dict[str, str] = {}
        self._folder = folder
        self._first: dict[str, Path] = {}

    def add(self, name: str, source: Path) -> None:
        """Copy a file; do nothing if it has vanished, as temporary files do.

        Raises:
            StorageFailed: the disk is full, or a file cannot be read.
        """
        target = self._folder / name
        target.parent.mkdir(parents=True, exist_ok=True)
        try:
            self.digests[name] = digest = _copied(source, target)
        except FileNotFoundError:
            target.unlink(missing_ok=True)
            return
        except OSError as error:
            raise explain(error) or error from error
        if first := self._first.setdefault(digest, target):
            _link(first, target)


def _copied(source: Path, target: Path) -> str:
    """Copy a file with its time and mode, and return its sha256."""
    if _is_database(source):
        copy_database(source, target)
        shutil.copymode(source, target)
        return file_digest(target)
    digest = hashlib.sha256()
    with source.open("rb") as read, target.open("xb") as write:
        while chunk := read.read(CHUNK):
            digest.update(chunk)
            write.write(chunk)
        write.flush()
        os.fsync(write.fileno())
    shutil.copystat(source, target)
    return digest.hexdigest()


def _link(first: Path, second: Path) -> None:
    """Replace a file by a link to an equal one; leave it where links are not supported."""
    if first != second:
        link = second.with_name(f"{TEMPORARY}{second.name}")
        with suppress(OSError):
            link.hardlink_to(first)
            link.replace(second)


def _commit(workspace: Path) -> str:
    command = ["git", "-C", str(workspace), "rev-parse", "HEAD"]
    try:
        done = subprocess.run(command, capture_output=True, text=True)
    except FileNotFoundError:  # a container without git
        return ""
    return done.stdout.strip() if done.returncode == 0 else ""


def _print(line: str) -> None:
    sys.stdout.write(f"{line}\n")


if __name__ == "__main__":
    main()
