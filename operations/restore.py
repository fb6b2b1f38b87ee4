"""`make restore FROM=FOLDER`: bring back what `make backup` has copied, into a clone without state.

Every file is compared with its digest before anything is written. Then all is copied next to its place, and
renamed at the end.
"""

import argparse
import json
import shutil
import sys
import tempfile
from collections.abc import Callable, Sequence
from importlib.metadata import version
from pathlib import Path

from facenet.atomic import write_text
from facenet.storage import explain
from operations import dumps
from operations.errors import ServicesFailed
from operations.folder import Folder
from operations.manifest import Manifest
from operations.places import REMOTES, REPLACED, Places, find_places
from operations.sqlite import is_database, move_artifacts
from tasks.entry import stage_main


def main(arguments: Sequence[str] | None = None) -> None:
    """Restore into the working folder; an expected error is one message and exit code 1."""
    parser = argparse.ArgumentParser(
        prog="python -m operations.restore", description=__doc__.partition("\n")[0]
    )
    parser.add_argument("folder", type=Path, help="a folder that `make backup` has written")
    folder = parser.parse_args(arguments).folder
    places = find_places(Path.cwd(), Folder.chosen())
    stage_main(lambda: restore(places, folder.absolute(), _print))


def restore(places: Places, source: Path, said: Callable[[str], None]) -> None:
    """Restore the backup in `source`.

    A DVC remote that has files is left alone. Paths of artifacts in MLflow's SQLite database follow a
    workspace that has moved.

    Raises:
        ServicesFailed: the backup is incomplete or damaged, a place is not empty, or PostgreSQL fails.
        StorageFailed: the disk is full, or a place is not writable.
    """
    manifest = Manifest.read(source)
    for name in list(places.remotes):
        if _occupied(places.remotes[name]):
            said(f"The DVC remote {name} has files already: {places.remotes[name]} is left alone.")
            del places.remotes[name]
    wanted = [(name, place) for name, place in places.entries() if (source / name).exists()]
    _check_empty(wanted, places)
    manifest.verify(source, said)
    for name, place in wanted:
        _bring(source / name, place, manifest, places)
    if places.services.path.exists():
        _adopt(places)
    dumps.restore(places.services, source / "databases", manifest.databases)
    said(f"Restored the workspace {manifest.workspace} of {manifest.made}.")
    _advise(manifest, source, places, said)


def _occupied(place: Path) -> bool:
    return any(place.iterdir()) if place.is_dir() else place.exists()


def _check_empty(wanted: Sequence[tuple[str, Path]], places: Places) -> None:
    replaced = {places.workspace / name for name in REPLACED}
    taken = [str(place) for _, place in wanted if place not in replaced and _occupied(place)]
    taken += [str(path) for path in [places.services.postgresql] if _occupied(path)]
    if taken:
        raise ServicesFailed(
            f"There is state already: {', '.join(taken)}. Restore into a new clone, or move it away."
        )


def _bring(source: Path, place: Path, manifest: Manifest, places: Places) -> None:
    """Copy a file or folder of the backup to its place, by way of a temporary name on the same disk."""
    try:
        place.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".restore-", dir=place.parent) as scratch:
            copy = Path(scratch) / place.name
            if source.is_dir():
                shutil.copytree(source, copy)
            else:
                shutil.copy2(source, copy)
            for path in [copy] if copy.is_file() else sorted(copy.rglob("*.db")):
                if path.is_file() and is_database(path):
                    move_artifacts(path, Path(manifest.workspace), places.workspace)
            if place.is_dir():
                place.rmdir()  # empty
            copy.rename(place)
    except OSError as error:
        raise explain(error, None) or error from error


def _adopt(places: Places) -> None:
    """Make the folder of the servers private again, and let its settings name the workspace of this place."""
    servers = places.services
    servers.create()
    for folder in (servers.prefect, servers.mlflow, servers.s3):
        folder.chmod(0o700)
    if servers.settings.exists():
        settings = json.loads(servers.settings.read_text())
        settings["workspace"] = str(places.workspace)
        write_text(servers.settings, json.dumps(settings, indent=2, ensure_ascii=False) + "\n")


def _advise(manifest: Manifest, source: Path, places: Places, said: Callable[[str], None]) -> None:
    """Say what remains to be done by hand, if anything."""
    if manifest.commit:
        said(f"Its code is that of commit {manifest.commit}: `git checkout {manifest.commit[:12]}`.")
    changed = {name: old for name, old in manifest.versions.items() if version(name) != old}
    for name, old in changed.items():
        said(f"It was made with {name} {old}, and {name} {version(name)} is installed here.")
    if "mlflow" in changed:
        said("First run `mlflow db upgrade sqlite:///mlflow.db`, or with the URL of the server's database.")
    lost = [
        name for name in manifest.remotes if name not in places.remotes and (source / REMOTES / name).exists()
    ]
    for name in lost:
        said(f"The DVC remote {name} was not restored; its copy is in {source / REMOTES / name}.")


def _print(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
