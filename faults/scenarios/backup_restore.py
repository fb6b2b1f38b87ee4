"""Backup, wipe, restore into a clone elsewhere: same registry, runs and bytes, and `dvc repro` runs nothing.

On SQLite and files; backup_postgresql does it with the servers.
"""

import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

from facenet.digests import file_digest
from faults.errors import FaultFound
from faults.project import Checkout, new_project

TABLES = ("runs", "metrics", "params", "tags", "model_versions", "registered_model_aliases")
CHAMPION = """
from facenet import FaceModel
from tasks.tracking.model_uri import resolve_version
version = resolve_version("models:/facenet@champion")
FaceModel.load("models:/facenet@champion")
print(version.number, version.run_id, version.tags["digest"])
"""


def run(folder: Path) -> None:
    """Train and promote, back up, delete everything but origin and backup, restore."""
    first = new_project(folder / "first")
    first.run("dvc", "remote", "add", "--default", "storage", "../storage")
    first.commit("Add a remote")
    first.run("git", "clone", "--quiet", "--bare", ".", str(folder / "origin.git"))
    first.run("dvc", "repro")
    first.run("dvc", "push", "--run-cache")
    first.run("python", "-m", "flows.promotion")
    first.run("make", "backup", f"TO={folder / 'backup'}")
    before, bytes_before = _rows(first), _digests(first.folder)
    served = first.run("python", "-c", CHAMPION)
    first.run("git", "clone", "--quiet", str(folder / "origin.git"), str(folder / "ünï second"))
    shutil.rmtree(folder / "first")
    shutil.rmtree(folder / "storage")

    second = Checkout(folder / "ünï second")
    print(second.run("make", "restore", f"FROM={folder / 'backup'}"))
    if _rows(second) != before:
        raise FaultFound("the registry or the runs differ")
    if missing := {n for n, d in bytes_before.items() if _digests(second.folder).get(n) != d}:
        raise FaultFound(f"{len(missing)} files differ or are missing: {sorted(missing)[:5]}")
    if (ran := second.repro()) != []:
        raise FaultFound(f"dvc repro ran {ran} after a restore")
    if second.run("python", "-c", CHAMPION) != served:
        raise FaultFound("the champion is another model")
    if not any((folder / "storage").rglob("*.dir")):
        raise FaultFound("the remote was not restored")
    again = second.call("make", "restore", f"FROM={folder / 'backup'}")
    if again.returncode == 0 or "There is state already" not in again.stdout:
        raise FaultFound(f"a second restore was not refused:\n{again.stdout}")


def _rows(project: Checkout) -> dict[str, list[tuple[object, ...]]]:
    """Return the content of the tables without the paths of artifacts, which move with the workspace."""
    with closing(sqlite3.connect(project.folder / "mlflow.db")) as store:
        found = {table: sorted(store.execute(f"SELECT * FROM {table}"), key=str) for table in TABLES}
    here = (str(project.folder), project.folder.as_uri())
    return {
        table: [tuple(value for value in row if not _is_place(value, here)) for row in rows]
        for table, rows in found.items()
    }


def _is_place(value: object, here: tuple[str, ...]) -> bool:
    return isinstance(value, str) and any(place in value for place in here)


def _digests(folder: Path) -> dict[str, str]:
    """Return the sha256 of outputs and artifacts."""
    places = [folder / name for name in ("mlartifacts", "models", "reports", "data/raw", "data/aligned")]
    paths = sorted(path for place in places for path in place.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): file_digest(path) for path in paths}
