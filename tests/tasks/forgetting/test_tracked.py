"""Artifacts of real runs in a real store, in the small workspace."""

import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
import yaml

from tasks.forgetting.person import Person
from tasks.forgetting.place import Action
from tasks.forgetting.tracked import GONE, TrackedArtifacts
from tasks.tracking import Run, start_run
from tasks.tracking.store import client
from tests.tasks.forgetting.small import ADA, gathered, holders, traces_of

OURS, OTHERS = "1" * 32 + ".dir", "2" * 32 + ".dir"


@pytest.fixture
def tracked(small: Path, migrated_store: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The small workspace with an empty MLflow store."""
    shutil.copy(migrated_store, small / "mlflow.db")
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    monkeypatch.setenv("DVC_ROOT", str(small))
    return small


def run_of(root: Path, data: str | None) -> Run:
    """Return a run with pictures, tables and the lock of this data."""
    run = start_run(name="run", tags={"plain": "x"})
    for name in ("worst_errors.png", "roc.png", "report.html", "history.csv"):
        run.log_file(root / "reports" / name, "reports")
    if data:
        outs = [{"path": "data/aligned", "md5": data}, {"path": "models/m", "md5": "3" * 32}]
        run.log_text(yaml.safe_dump({"stages": {"align": {"outs": outs}}}), "provenance/dvc.lock")
    return run


def files_of(run: Run) -> set[str]:
    return {item.path for item in client().list_artifacts(run.run_id, "reports")}


def person_of(root: Path) -> Person:
    person = gathered(root)
    person.versions, person.other_versions = {OURS}, {OTHERS}
    return person


def test_artifacts_and_tags_go_and_pictures_by_the_data_of_the_run(tracked: Path) -> None:
    person, traces, place = person_of(tracked), traces_of(tracked), TrackedArtifacts()
    ours, others, unknown = (run_of(tracked, data) for data in (OURS, OTHERS, None))
    for run in (ours, others):
        run.log_file(tracked / "reports" / "decisions.csv", "reports")
        run.log_file(tracked / "data" / "aligned" / "faces-0000.arrow", "data")
    others.set_tags({"worst": f'["Bob", "{ADA}"]', "folder": f"/srv/{ADA}/faces", "mlflow.note": ADA})
    others.log_text(f"path: /srv/{ADA}", "model/MLmodel")
    others.log_params({"who": ADA})
    findings = place.find(person)
    assert [f.what for f in findings if f.action is Action.LEFT] == [f"run {others.run_id}: parameter who"]
    place.erase(person, [finding for finding in findings if finding.action is not Action.LEFT])
    assert [f.action for f in place.find(person)] == [Action.LEFT]
    assert files_of(ours) == files_of(unknown) == {"reports/history.csv", "reports/roc.png"}
    charts = {"reports/history.csv", "reports/roc.png", "reports/worst_errors.png"}
    assert files_of(others) == charts  # its page has the name
    tags = client().get_run(others.run_id).data.tags
    assert (tags["worst"], tags["folder"], tags["mlflow.note"]) == (GONE, f"/srv/{ADA}/faces", ADA)
    assert others.read_file("model/MLmodel")  # the name of a user: removing it would break the model
    assert holders(tracked / "mlartifacts", traces) == []
    with closing(sqlite3.connect(tracked / "mlflow.db")) as store:
        found = store.execute("SELECT count(*) FROM tags WHERE value LIKE '%Bob%Lovelace%'")
        assert found.fetchone() == (0,)


def test_an_empty_store_has_nothing(tracked: Path) -> None:
    assert TrackedArtifacts().find(person_of(tracked)) == []
