"""A training in the background, and what its MLflow run must have at its end."""

import csv
import json
import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from faults.errors import FaultFound
from faults.project import Checkout
from faults.tiny_models import variables

LOG_EVERY = 10  # steps
SECONDS = 240.0


@contextmanager
def started(
    project: Checkout, *command: str, env: Mapping[str, str] | None = None
) -> Iterator["subprocess.Popen[bytes]"]:
    """Run a command in the background, with its output in output.log; kill it at the end of the block."""
    with (project.folder / "output.log").open("wb") as log:
        process = _popen(project, command, env or {}, log)
        try:
            yield process
        finally:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()


def _popen(
    project: Checkout, command: tuple[str, ...], env: Mapping[str, str], log: IO[bytes]
) -> "subprocess.Popen[bytes]":
    return subprocess.Popen(
        command,
        cwd=project.folder,
        env={**project.environment(), **env},
        stdout=log,
        stderr=subprocess.STDOUT,
        start_new_session=True,
    )


def ended(project: Checkout, process: "subprocess.Popen[bytes]") -> None:
    """Wait for the end of a command.

    Raises:
        FaultFound: it failed.
    """
    if process.wait(SECONDS):
        raise FaultFound((project.folder / "output.log").read_text()[-3000:])


def wait_until(holds: Callable[[], object], what: str) -> None:
    """Wait for an effect of another process.

    Raises:
        FaultFound: it did not happen within four minutes.
    """
    deadline = time.monotonic() + SECONDS
    while not holds():
        if time.monotonic() > deadline:
            raise FaultFound(f"after {SECONDS:.0f} s: not {what}")
        time.sleep(0.2)


def steps_recorded(project: Checkout) -> int:
    """Return the last step that the training has recorded in its outbox, 0 before the first."""
    lines = [
        json.loads(line)
        for file in (project.folder / "data/outbox").glob("*/records.jsonl")
        for line in file.read_text().splitlines()
        if line.endswith("}")
    ]
    steps = [line["step"] for line in lines if line["kind"] == "metrics" and "step/loss" in line["metrics"]]
    return max(steps, default=0)


def check_run(project: Checkout, uri: str) -> str:
    """Check that the run on the server has each step and each epoch once, and return what it has.

    Raises:
        FaultFound: something is missing or doubled, or the outbox is not empty.
    """
    from tasks.tracking.store import client

    with (project.folder / "reports/history.csv").open(newline="") as file:
        epochs = [int(row["epoch"]) for row in csv.DictReader(file)]
    steps = json.loads((project.folder / "reports/train.json").read_text())["steps"]
    name = json.loads((project.folder / "models/model.json").read_text())["mlflow"]["outbox"]
    with variables(MLFLOW_TRACKING_URI=uri, DVC_ROOT=str(project.folder)):
        mlflow = client()
        experiment = mlflow.get_experiment_by_name("facenet")
        found = mlflow.search_runs([experiment.experiment_id], f"tags.outbox = '{name}'")
        if len(found) != 1:
            raise FaultFound(f"{len(found)} runs instead of one")
        run = found[0]
        logged = [metric.step for metric in mlflow.get_metric_history(run.info.run_id, "step/loss")]
        _equal("steps", logged, list(range(LOG_EVERY, steps + 1, LOG_EVERY)))
        seen = [metric.step for metric in mlflow.get_metric_history(run.info.run_id, "epoch/loss")]
        _equal("epochs", seen, epochs)
        _equal("status", run.info.status, "FINISHED")
        files = {Path(item.path).name for item in mlflow.list_artifacts(run.info.run_id, "reports")}
        _equal("files", {"history.csv", "evaluation.json", "roc.png"} <= files, True)
        _equal("evaluation", "evaluation/accuracy" in run.data.metrics, True)
    left = sorted(path.name for path in (project.folder / "data/outbox").iterdir())
    _equal("outbox", left, [])
    system = sum(name.startswith("system/") for name in run.data.metrics)
    return f"{len(logged)} logged steps, {len(seen)} epochs, {system} system metrics, each once"


def _equal(what: str, found: object, expected: object) -> None:
    if found != expected:
        raise FaultFound(f"{what}: {found} instead of {expected}")
