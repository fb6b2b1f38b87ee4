"""Old runs go with their artifacts; those of registered versions, and their families, stay."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

from tasks.tracking import Run, open_run, start_run
from tasks.tracking.retention import old_runs, remove_runs
from tasks.tracking.store import client

NOW = datetime.now(UTC)
LONG_AGO = NOW - timedelta(days=100)


def make(name: str, ended: datetime | None = LONG_AGO, parent: Run | None = None) -> Run:
    run = start_run(name=name, tags={"mlflow.parentRunId": parent.run_id} if parent else {})
    run.log_text("x", "note.txt")
    if ended:
        client().set_terminated(run.run_id, end_time=int(ended.timestamp() * 1000))
    return run


def test_old_runs_go_unless_a_version_needs_them(mlflow_store: Path) -> None:
    assert old_runs(NOW) == []
    registered, running, recent = make("registered"), make("running", None), make("recent", NOW)
    sweep = make("sweep")
    point, other = make("point", parent=sweep), make("other point", parent=sweep)
    lost = make("lost sweep")
    lost_point = make("lost point", parent=lost)
    store = client()
    store.create_registered_model("facenet")
    for run in (registered, point):
        store.create_model_version("facenet", source="s3://nowhere/model", run_id=run.run_id)
    found = old_runs(NOW - timedelta(days=90))
    assert [run.name for run in sorted(found, key=lambda run: run.name)] == ["lost point", "lost sweep"]
    assert abs(found[0].ended - LONG_AGO) < timedelta(seconds=1)
    assert len(list(mlflow_store.rglob("note.txt"))) == 8
    assert remove_runs(found) is True
    assert len(list(mlflow_store.rglob("note.txt"))) == 6
    assert open_run(lost.run_id) is None
    assert open_run(lost_point.run_id) is None
    assert all(open_run(run.run_id) for run in (registered, running, recent, sweep, point, other))
    assert old_runs(NOW - timedelta(days=90)) == []
