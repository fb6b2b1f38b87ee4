"""A fresh clone trains the champion again, bit for bit, from commit, remote and registry.

Then the remote is gone, and the error names it.
"""

import shutil
from pathlib import Path

from faults.errors import FaultFound
from faults.project import Checkout, new_project

CHAMPION = "models:/facenet@champion"


def run(folder: Path) -> None:
    """Train and promote on one machine, reproduce in a clone without a cache."""
    first = new_project(folder / "first")
    first.run("dvc", "remote", "add", "--default", "storage", str(folder / "storage"))
    first.commit("Add a remote")
    first.run("dvc", "repro")
    first.run("dvc", "push", "--run-cache")
    first.run("python", "-m", "flows.promotion")
    first.change({"train": {"epochs": 2}})
    first.commit("Train longer")  # the commit of the champion is not the last one

    first.run("git", "clone", "--quiet", ".", str(folder / "clone"))
    clone = Checkout(folder / "clone")
    store = {"MLFLOW_TRACKING_URI": f"sqlite:///{first.folder / 'mlflow.db'}"}
    out = clone.run("facenet", "reproduce", CHAMPION, env=store)
    if "facenet version 1 is reproduced bit for bit" not in out:
        raise FaultFound(f"the weights are not reproduced:\n{out[-2000:]}")
    if left := clone.run("git", "status", "--porcelain") + "".join(map(str, _copies(clone))):
        raise FaultFound(f"the clone is not as it was: {left}")

    shutil.rmtree(folder / "storage")
    shutil.rmtree(clone.folder / ".dvc" / "cache")
    done = clone.call("facenet", "reproduce", CHAMPION, env=store)
    if done.returncode != 2 or "Run `dvc push --run-cache` where it was trained" not in done.stdout:
        raise FaultFound(f"without data, exit code {done.returncode}:\n{done.stdout[-2000:]}")
    if "Traceback" in done.stdout:
        raise FaultFound(f"a traceback:\n{done.stdout[-2000:]}")


def _copies(clone: Checkout) -> list[Path]:
    return sorted((clone.folder / ".dvc" / "tmp").glob("reproduce-*"))
