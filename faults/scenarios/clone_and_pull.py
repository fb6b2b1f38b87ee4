"""A clone on another machine: after `dvc pull`, `dvc repro` runs nothing.

The flow trains, pushes to a remote in a folder, and commits dvc.lock on a branch. Then main goes on and the
worker is updated: nothing runs there either.
"""

from pathlib import Path

from faults.errors import FaultFound
from faults.project import Checkout, new_project


def run(folder: Path) -> None:
    """Train on one machine, clone on another, update the first."""
    worker = new_project(folder / "worker")
    worker.run("dvc", "remote", "add", "--default", "storage", str(folder / "storage"))
    worker.commit("Add a remote")
    worker.run("git", "clone", "--quiet", "--bare", ".", str(folder / "origin.git"))
    worker.run("git", "remote", "add", "origin", str(folder / "origin.git"))
    worker.run("git", "push", "--quiet", "--set-upstream", "origin", "main")
    worker.run("python", "-m", "flows.training", "--commit", "nightly")

    worker.run("git", "clone", "--quiet", str(folder / "origin.git"), str(folder / "second"))
    second = Checkout(folder / "second")
    second.run("git", "switch", "--quiet", "nightly")
    second.run("dvc", "pull", "--run-cache")
    _expect(second.repro(), [], "after a pull")
    for name in ("models/facenet.safetensors", "reports/report.html", "data/raw/manifest.parquet"):
        if (worker.folder / name).read_bytes() != (second.folder / name).read_bytes():
            raise FaultFound(f"{name} differs on the second machine")

    second.run("git", "switch", "--quiet", "main")
    (second.folder / "NOTES.md").write_text("main goes on\n")
    second.commit("Add notes")
    second.run("git", "push", "--quiet")
    _expect(second.repro("dvc", "repro", "--pull"), [], "on main, without a dvc.lock")
    out = worker.run("make", "update")
    if "Add notes" not in out:
        raise FaultFound(f"make update did not bring the commit: {out}")
    _expect(worker.repro(), [], "after an update")


def _expect(ran: list[str], expected: list[str], when: str) -> None:
    if ran != expected:
        raise FaultFound(f"{when}, dvc repro ran {ran}, expected {expected}")
