"""Backup, wipe, restore elsewhere: the same runs and bytes; what is damaged or occupied is refused."""

import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import pytest

from operations.backup import back_up
from operations.errors import ServicesFailed
from operations.folder import Folder
from operations.manifest import Manifest
from operations.places import Places, find_places
from operations.restore import restore
from tasks.tracking import open_run, start_run
from tasks.tracking.store import client


def ignore(line: str) -> None:
    pass


def places(root: Path) -> Places:
    return find_places(root, Folder(root / ".services"))


class State(NamedTuple):
    """A workspace with state, and its MLflow run."""

    root: Path
    run_id: str


@pytest.fixture
def state(mlflow_store: Path, tmp_path: Path) -> State:
    """The working folder, with a run and an artifact, a DVC cache, and a remote with the same file."""
    Path("note.txt").write_text("an artifact")
    run = start_run(name="first", tags={})
    run.log_file(Path("note.txt"), "reports")
    run.end("FINISHED")
    Path("note.txt").unlink()
    for place in (Path(".dvc/cache"), tmp_path / "storage"):
        file = place / "files" / "md5" / "ab" / "cdef"
        file.parent.mkdir(parents=True)
        file.write_bytes(b"weights")
    Path(".dvc/config").write_text("['remote \"storage\"']\n    url = ../../storage\n")
    Path("dvc.lock").write_text("names the data")
    Path("params.yaml").write_text("base: {}")
    Path(".prefect").mkdir()
    with closing(sqlite3.connect(".prefect/prefect.db")) as database:
        database.execute("CREATE TABLE flow_run (name TEXT)")
        database.commit()
    return State(mlflow_store, run.run_id)


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """A new clone elsewhere, with a tracked params.yaml and what `make setup` writes."""
    root = tmp_path / "ünï clone #1" / "workspace"
    (root / ".dvc").mkdir(parents=True)
    (root / ".dvc/config").write_text("['remote \"storage\"']\n    url = ../../storage\n")
    (root / ".dvc/config.local").write_text("[plots]\n    html_template = plots.html\n")
    (root / "params.yaml").write_text("base: {seed: 1}")
    return root


def test_the_registry_the_runs_and_the_bytes_come_back_in_another_folder(
    state: State, clone: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lines: list[str] = []
    target = tmp_path / "backups" / "monday"
    with closing(sqlite3.connect("mlflow.db")) as writer:  # in the middle of a transaction of somebody else
        writer.execute("BEGIN IMMEDIATE")
        writer.execute("INSERT INTO tags (run_uuid, key, value) VALUES (?, 'half', 'done')", (state.run_id,))
        back_up(places(state.root), target, lines.append)
    assert [path.name for path in target.parent.iterdir()] == ["monday"]
    shutil.rmtree(state.root)
    monkeypatch.chdir(clone)
    restore(places(clone), target, lines.append)
    run = open_run(state.run_id)
    assert run is not None
    assert run.read_file("reports/note.txt") == b"an artifact"
    assert "half" not in client().get_run(state.run_id).data.tags
    assert (clone / ".dvc/cache/files/md5/ab/cdef").read_bytes() == b"weights"
    assert (clone / "dvc.lock").read_text() == "names the data"
    assert (clone / "params.yaml").read_text() == "base: {}"
    assert (clone.parent.parent / "storage/files/md5/ab/cdef").exists()
    with closing(sqlite3.connect(".prefect/prefect.db")) as database:
        assert database.execute("SELECT count(*) FROM flow_run").fetchone() == (0,)
    assert not list(clone.rglob(".restore-*"))


def test_a_remote_with_files_is_left_alone(state: State, clone: Path, tmp_path: Path) -> None:
    lines: list[str] = []
    back_up(places(state.root), tmp_path / "copy", ignore)
    ours = clone.parent.parent / "storage"
    config = clone / ".dvc/config"
    config.write_text(config.read_text().replace("../../storage", "../../elsewhere"))
    occupied = clone.parent / "elsewhere"
    occupied.mkdir()
    (occupied / "mine").touch()
    restore(places(clone), tmp_path / "copy", lines.append)
    assert [path.name for path in occupied.iterdir()] == ["mine"]
    assert any("The DVC remote storage has files already" in line for line in lines)
    assert ours.exists()


def test_existing_state_is_never_overwritten(state: State, tmp_path: Path) -> None:
    back_up(places(state.root), tmp_path / "copy", ignore)
    before = Path("mlflow.db").read_bytes()
    with pytest.raises(
        ServicesFailed, match=r"There is state already: .*mlflow\.db.*Restore into a new clone"
    ):
        restore(places(state.root), tmp_path / "copy", ignore)
    assert Path("mlflow.db").read_bytes() == before


def damage(folder: Path) -> None:
    (folder / "workspace/.dvc/cache/files/md5/ab/cdef").write_bytes(b"Weights")


def lose(folder: Path) -> None:
    (folder / "workspace/dvc.lock").unlink()


def add(folder: Path) -> None:
    (folder / "workspace/mlartifacts/more").touch()


def interrupt(folder: Path) -> None:
    (folder / "manifest.json").unlink()


@pytest.mark.parametrize(
    ("harm", "reason"),
    [
        (damage, "workspace/.dvc/cache/files/md5/ab/cdef is damaged"),
        (lose, r"workspace/dvc\.lock is missing"),
        (add, "workspace/mlartifacts/more is not in manifest"),
        (interrupt, "is not a complete backup"),
    ],
)
def test_a_damaged_backup_writes_nothing(
    harm: Callable[[Path], None], reason: str, state: State, clone: Path, tmp_path: Path
) -> None:
    back_up(places(state.root), tmp_path / "copy", ignore)
    harm(tmp_path / "copy")
    before = sorted(clone.rglob("*"))
    with pytest.raises(ServicesFailed, match=reason):
        restore(places(clone), tmp_path / "copy", ignore)
    assert sorted(clone.rglob("*")) == before


def test_other_versions_of_the_databases_owners_are_named(state: State, clone: Path, tmp_path: Path) -> None:
    back_up(places(state.root), tmp_path / "copy", ignore)
    manifest = Manifest.read(tmp_path / "copy")
    replace(manifest, versions={**manifest.versions, "mlflow": "3.1.0"}, commit="a" * 40).write(
        tmp_path / "copy"
    )
    lines: list[str] = []
    restore(places(clone), tmp_path / "copy", lines.append)
    assert any("mlflow 3.1.0" in line for line in lines)
    assert any("mlflow db upgrade" in line for line in lines)
    assert any("git checkout aaaaaaaaaaaa" in line for line in lines)
