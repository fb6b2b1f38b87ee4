"""Old history is removed, and what a version with an alias needs stays: its run, its data, its weights."""

import re
from pathlib import Path

from faults.errors import FaultFound
from faults.project import Checkout, new_project

PRUNE = ("python", "-m", "flows.retention", "--days", "0")


def run(folder: Path) -> None:
    """Make a champion, then a sweep that leaves runs and data, and remove all that is old."""
    project = new_project(folder / "workspace")
    project.run("dvc", "repro")
    project.run("python", "-m", "flows.promotion")
    project.run("python", "-m", "flows.sweep", "--grid", "train.margin=0.3")
    cached, stored = _files(project, ".dvc/cache/files"), _files(project, "mlartifacts")
    shown = project.run(*PRUNE)
    if (_files(project, ".dvc/cache/files"), _files(project, "mlartifacts")) != (cached, stored):
        raise FaultFound("a dry run has removed files")
    counts = [int(number) for number in re.findall(r"(?:Prefect|MLflow): (\d+)", shown)]
    if len(counts) != 2 or not all(counts):
        raise FaultFound(f"the dry run found nothing:\n{shown}")
    print(project.run(*PRUNE, "--apply"))
    if not _files(project, ".dvc/cache/files") < cached or not _files(project, "mlartifacts") < stored:
        raise FaultFound("nothing was removed")
    if (ran := project.repro()) != []:
        raise FaultFound(f"dvc repro ran {ran}")
    out = project.run("facenet", "reproduce", "models:/facenet@champion")
    if "reproduced bit for bit" not in out:
        raise FaultFound(f"the champion is not reproducible any more:\n{out[-2000:]}")
    if re.findall(r"(?:Prefect|MLflow): [1-9]", again := project.run(*PRUNE)):
        raise FaultFound(f"a second run still finds something:\n{again}")


def _files(project: Checkout, place: str) -> int:
    return sum(path.is_file() for path in (project.folder / place).rglob("*"))
