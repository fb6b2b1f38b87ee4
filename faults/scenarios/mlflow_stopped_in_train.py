"""MLflow stopped for three minutes during training: training goes on, and the run has everything afterwards.

The server is away from the first steps of train until evaluate has ended; register sends the rest.
"""

import time
from pathlib import Path

from faults.project import SMALL, new_project
from faults.tracking_server import tracking_server
from faults.training_run import check_run, ended, started, steps_recorded, wait_until

OUTAGE_SECONDS = 180.0


def run(folder: Path) -> None:
    """Train during an outage and compare the run with the files."""
    project = new_project(folder / "project", {**SMALL, "train": {**SMALL["train"], "epochs": 5}})
    with tracking_server(folder / "server") as server:
        env = {"MLFLOW_TRACKING_URI": server.uri}
        with started(project, "dvc", "repro", "evaluate", env=env) as training:
            wait_until(lambda: steps_recorded(project) >= 10, "ten steps")
            server.end()
            stopped = time.monotonic()
            ended(project, training)
        took = time.monotonic() - stopped
        time.sleep(max(0.0, OUTAGE_SECONDS - took))
        server.start()
        away = time.monotonic() - stopped
        project.run("dvc", "repro", env=env)
        found = check_run(project, server.uri)
    print(f"   train and evaluate ended {took:.0f} s into an outage of {away:.0f} s; {found}")
