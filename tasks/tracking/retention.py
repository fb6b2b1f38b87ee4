"""Old runs in MLflow: which may go, and their permanent removal with their artifacts."""

import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from tasks.tracking.runs import EXPERIMENT
from tasks.tracking.store import TrackingFailed, client, mlflow_errors, sqlite_path, tracking_uri

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities import Run as Found

PARENT = "mlflow.parentRunId"
PAGE = 500
COLLECTED = 100  # runs in one call of `mlflow gc`


@dataclass(frozen=True)
class OldRun:
    """A run that ended long ago."""

    run_id: str
    name: str
    ended: datetime


def old_runs(before: datetime) -> list[OldRun]:
    """Return the runs of the experiment that ended before that time and that nothing refers to, oldest first.

    A run of any registered version stays, with its parent and children: with its sweep. So does a run that is
    still running.
    """
    with mlflow_errors():
        mlflow = client()
        runs = list(_runs(mlflow))
        registered = {version.run_id for version in _pages(mlflow.search_model_versions)}
    family = {run.info.run_id: run.data.tags.get(PARENT, run.info.run_id) for run in runs}
    kept = {family.get(run_id, run_id) for run_id in registered}
    limit = before.timestamp() * 1000
    found = [
        OldRun(
            run.info.run_id, run.info.run_name or "", datetime.fromtimestamp(run.info.end_time / 1000, UTC)
        )
        for run in runs
        if run.info.status != "RUNNING"
        and run.info.end_time
        and run.info.end_time < limit
        and family[run.info.run_id] not in kept
    ]
    return sorted(found, key=lambda run: (run.ended, run.run_id))


def remove_runs(runs: Sequence[OldRun]) -> bool:
    """Delete runs; return whether they and their artifacts were removed for good.

    That takes access to MLflow's own database, which this process has if it is an SQLite file. Otherwise they
    are marked as deleted, and `mlflow gc` on the server's machine removes them.

    Raises:
        TrackingFailed: the server cannot be reached, or `mlflow gc` failed.
    """
    with mlflow_errors():
        mlflow = client()
        for run in runs:
            mlflow.delete_run(run.run_id)
    uri = tracking_uri()
    if sqlite_path(uri) is None:
        return False
    for start in range(0, len(runs), COLLECTED):
        names = ",".join(run.run_id for run in runs[start : start + COLLECTED])
        where = ("--backend-store-uri", uri, "--tracking-uri", uri)
        command = [sys.executable, "-m", "mlflow", "gc", *where, "--run-ids", names]
        done = subprocess.run(command, capture_output=True, text=True)
        if done.returncode:
            raise TrackingFailed(f"mlflow gc failed: {done.stderr.strip()[-500:]}")
    return True


def _runs(mlflow: "MlflowClient") -> Iterator["Found"]:
    experiment = mlflow.get_experiment_by_name(EXPERIMENT)
    if experiment is not None:
        yield from _pages(lambda **page: mlflow.search_runs([experiment.experiment_id], **page))


def _pages(search: Callable[..., Any]) -> Iterator[Any]:
    """Yield what a paged search of MLflow finds."""
    token = None
    while True:
        page = search(max_results=PAGE, page_token=token)
        yield from page
        token = page.token
        if not token:
            return
