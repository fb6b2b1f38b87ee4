"""A promotion during a training: both end well, and the trained model is the challenger, not the champion."""

import json
from pathlib import Path

from faults.errors import FaultFound
from faults.project import SMALL, Checkout, new_project
from faults.training_run import ended, started, steps_recorded, wait_until


def run(folder: Path) -> None:
    """Promote version 1 while `dvc repro` trains version 2."""
    project = new_project(folder / "project")
    project.repro()
    project.change({"train": {**SMALL["train"], "epochs": 4}})
    with started(project, "dvc", "repro") as training:
        wait_until(lambda: steps_recorded(project) >= 10, "ten steps")
        said = project.run("python", "-m", "flows.promotion", "--local")
        during = training.poll() is None
        ended(project, training)
    if not during:
        raise FaultFound("the training ended before the promotion: nothing was tried")
    receipt = json.loads((project.folder / "reports/registration.json").read_text())
    if (receipt["version"], receipt["aliases"]) != (2, ["challenger"]):
        raise FaultFound(f"the training registered {receipt}")
    if "Version 1 is the first champion" not in said:
        raise FaultFound(said)
    _expect(project, "champion                 1", "challenger               2")
    if project.repro():
        raise FaultFound("`dvc repro` finds something to do")


def _expect(project: Checkout, *lines: str) -> None:
    shown = project.run("python", "-m", "flows.promotion", "show")
    if missing := [line for line in lines if line not in shown]:
        raise FaultFound(f"{missing} not in\n{shown}")
    print("   " + shown.strip().replace("\n", "\n   "))
