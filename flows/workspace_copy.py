"""A copy of the workspace in which DVC runs with other parameters, so that the workspace does not change.

The copy has everything that dvc.yaml reads and nothing that it writes: data come from DVC's cache, which both
share. Models trained in the copy are therefore in the workspace's cache, and `dvc repro` there does not train
again with the same parameters.

`dvc exp run --temp` also makes a copy, but only of files tracked by Git (no photos), it does not work without
Git (in a container), and it makes a new copy for each point, so that an interrupted training cannot resume
from its checkpoint. DVC's experiment queue is known to hang.
"""

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import yaml

from tasks.downloads.lookup import MIRRORS
from tasks.paths import DATA, DOWNLOADS, FINGERPRINT, OUTBOX, TRAIN_INPUTS
from tasks.tracking import tracking_uri

FOLDER = Path(".dvc/tmp/sweep")  # where Git and DVC ignore it
# Not outputs, but what stages cache for their next run, and what MLflow has not received yet.
SHARED = (DOWNLOADS, DATA / "cache", OUTBOX)
DVC_FILES = (
    Path("dvc.yaml"),
    Path("dvc.lock"),
    Path(".dvcignore"),
    Path(".dvc/config"),
    Path(".dvc/config.local"),
)


@contextmanager
def workspace_copy() -> Iterator[Path]:
    """Yield a copy of the workspace in the working folder, without params.yaml; remove it at the end.

    After an error it stays, and the next call reuses it, so that training resumes from its checkpoint.
    """
    for name in [*DVC_FILES, FINGERPRINT, TRAIN_INPUTS, *_read()]:
        _renew(name)
    for name in SHARED:
        name.mkdir(parents=True, exist_ok=True)
        link = FOLDER / name
        link.parent.mkdir(parents=True, exist_ok=True)
        if not link.is_symlink():
            link.symlink_to(name.absolute(), target_is_directory=True)
    _configure()
    yield FOLDER
    shutil.rmtree(FOLDER)


def settings() -> dict[str, str]:
    """Return the environment that gives stages in the copy the workspace's MLflow store, files and commit."""
    root = str(Path.cwd())
    mirrors = ",".join(filter(None, [os.environ.get(MIRRORS), root]))
    return {"MLFLOW_TRACKING_URI": tracking_uri(), MIRRORS: mirrors, **_git_settings()}


def _read() -> list[Path]:
    """Return the top-level files and folders of the workspace that stages read and no stage writes."""
    stages: dict[str, dict[str, Any]] = yaml.safe_load(Path("dvc.yaml").read_text())["stages"]

    def named(*kinds: str) -> list[Path]:
        entries = [entry for stage in stages.values() for kind in kinds for entry in stage.get(kind, [])]
        return [Path(entry if isinstance(entry, str) else next(iter(entry))) for entry in entries]

    written = named("outs", "metrics", "plots")
    deps = [dep for dep in named("deps") if not any(dep.is_relative_to(path) for path in written)]
    return sorted({Path(dep.parts[0]) for dep in deps})


def _renew(name: Path) -> None:
    target = FOLDER / name
    if target.is_dir():
        shutil.rmtree(target)
    else:
        target.unlink(missing_ok=True)
    target.parent.mkdir(parents=True, exist_ok=True)
    if name.is_dir():
        shutil.copytree(name, target, ignore=shutil.ignore_patterns("__pycache__"))
    elif name.exists():
        shutil.copy2(name, target)


def _configure() -> None:
    from dvc.config import Config
    from dvc.repo import Repo

    with Repo() as repo:
        cache = repo.cache.local_cache_dir
    with Config(str(FOLDER / ".dvc")).edit("local") as local:
        # Relative, since DVC cannot write a path with other letters than ASCII into a configuration.
        local.setdefault("cache", {})["dir"] = os.path.relpath(cache)
        local.setdefault("core", {})["no_scm"] = True  # Git ignores the folder, which DVC would refuse


def _git_settings() -> dict[str, str]:
    """Return settings with which git reports the workspace's commit and the copy as changed since."""
    command = ["git", "rev-parse", "--absolute-git-dir"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    except FileNotFoundError:  # a container without git
        return {}
    if done.returncode:
        return {}
    return {
        "GIT_DIR": done.stdout.strip(),
        "GIT_WORK_TREE": str(FOLDER.absolute()),
        "GIT_OPTIONAL_LOCKS": "0",
    }
