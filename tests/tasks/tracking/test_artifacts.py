"""Artifacts are listed, read and deleted in the workspace and behind a server."""

from pathlib import Path

import pytest

from tasks.tracking import artifacts, start_run
from tasks.tracking.artifacts import Owner
from tasks.tracking.store import client


def _fill() -> str:
    run = start_run(name="one", tags={"note": "x"})
    run.log_text("first", "a/1.txt")
    run.log_text("second", "a/b/2.txt")
    run.log_params({"seed": 3})
    return run.run_id


def _check(run_id: str, folder: Path) -> None:
    (owner,) = [owner for owner in artifacts.owners() if owner.id == run_id]
    assert (owner.id, owner.tags["note"], owner.params) == (run_id, "x", {"seed": "3"})
    assert list(artifacts.files(owner)) == ["a/1.txt", "a/b/2.txt"]
    assert artifacts.fetch(owner, "a/b/2.txt", folder).read_text() == "second"
    artifacts.delete(owner, "a/b/2.txt")
    assert list(artifacts.files(owner)) == ["a/1.txt"]
    artifacts.replace_tag(owner, "note", "y")
    (again,) = [owner for owner in artifacts.owners() if owner.id == run_id]
    assert again.tags["note"] == "y"


def test_in_the_workspace_also_of_deleted_runs(mlflow_store: Path, tmp_path: Path) -> None:
    assert list(artifacts.owners()) == []
    run_id = _fill()
    _check(run_id, tmp_path)
    assert not list(mlflow_store.rglob("2.txt"))
    client().delete_run(run_id)
    assert [owner.id for owner in artifacts.owners()] == [run_id]


def test_of_logged_models(mlflow_store: Path, tmp_path: Path) -> None:
    run_id = _fill()
    mlflow = client()
    experiment = mlflow.get_run(run_id).info.experiment_id
    logged = mlflow.create_logged_model(experiment, name="facenet", source_run_id=run_id)
    (tmp_path / "model").mkdir()
    (tmp_path / "model" / "card.json").write_text("{}")
    mlflow.log_model_artifacts(logged.model_id, str(tmp_path / "model"))
    mlflow.finalize_logged_model(logged.model_id, "READY")
    (owner,) = [owner for owner in artifacts.owners() if owner.kind == "model"]
    assert owner.id == logged.model_id
    assert list(artifacts.files(owner)) == ["card.json"]


@pytest.mark.server
def test_behind_a_server(mlflow_server: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MLFLOW_TRACKING_URI", mlflow_server)
    _check(_fill(), tmp_path)


def test_an_owner_without_artifacts_has_none(mlflow_store: Path) -> None:
    owner = Owner("run", "x", (mlflow_store / "nowhere").as_uri(), {}, {})
    assert list(artifacts.files(owner)) == []
