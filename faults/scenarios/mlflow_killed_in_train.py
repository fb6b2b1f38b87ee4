"""MLflow killed by SIGKILL while it logs, again and again: the run has every step once."""

import signal
import time
from pathlib import Path

from faults.project import SMALL, new_project
from faults.tracking_server import tracking_server
from faults.training_run import check_run, ended, started, steps_recorded, wait_until

ALIVE_SECONDS = 3.0


def run(folder: Path) -> None:
    """Kill and restart the server during a training, and compare the run with the files."""
    project = new_project(folder / "project", {**SMALL, "train": {**SMALL["train"], "epochs": 8}})
    kills = 0
    with tracking_server(folder / "server") as server:
        env = {"MLFLOW_TRACKING_URI": server.uri}
        with started(project, "dvc", "repro", "evaluate", env=env) as training:
            wait_until(lambda: steps_recorded(project) >= 10, "ten steps")
            while training.poll() is None and kills < 6:
                server.end(signal.SIGKILL)
                kills += 1
                server.start()
                time.sleep(ALIVE_SECONDS)
            ended(project, training)
        project.run("dvc", "repro", env=env)
        found = check_run(project, server.uri)
    print(f"   {kills} kills; {found}")
