"""A clone of the project at a commit, with the data of a version: what trained it can run there again.

It shares DVC's cache and remotes with the workspace, which stays as it is.
"""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import yaml

from facenet.errors import FaceNetError
from flows import process
from flows.dvc_command import dvc_command, dvc_environment
from tasks import paths
from tasks.downloads.lookup import MIRRORS
from tasks.tracking.provenance import LOCK

PLACE = Path(".dvc/tmp")  # on the same disk as DVC's cache, where Git and DVC ignore it
STORE = "mlflow.db"


class NotReproducible(FaceNetError):
    """The commit or the data of a version is missing; the message names it and the fix."""


@contextmanager
def commit_copy(commit: str, params: Mapping[str, Any], lock: bytes | None) -> Iterator[Path]:
    """Yield the root of the project in a clone at `commit`, and remove it at the end.

    params: sections that replace those of params.yaml. lock: content of dvc.lock; None for the commit's own.

    Raises:
        NotReproducible: the repository does not have the commit, or no dvc.lock is known.
    """
    prefix = _git("rev-parse", "--show-prefix")
    if subprocess.run(["git", "cat-file", "-e", f"{commit}^{{commit}}"], capture_output=True).returncode:
        raise NotReproducible(
            f"This repository does not have the commit {commit}. Fetch it with `git fetch --all --tags`, or "
            "run this in the clone of whoever trained the version."
        )
    PLACE.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="reproduce-", dir=PLACE) as scratch:
        clone = Path(scratch).absolute() / "clone"
        _git(
            "clone", "--quiet", "--shared", "--no-checkout", _git("rev-parse", "--show-toplevel"), str(clone)
        )
        _git("-C", str(clone), "checkout", "--quiet", "--detach", commit)
        root = clone / prefix
        if lock is not None:
            (root / LOCK).write_bytes(lock)
        if not (root / LOCK).exists():
            raise NotReproducible(
                f"Neither the version nor the commit {commit} has a dvc.lock, which names the data. "
                "Versions registered from now on have one: train it again, `dvc repro --force train`."
            )
        _set_params(root / paths.PARAMS, params)
        _configure(root)
        yield root


def fetch_inputs(root: Path, log: Callable[[str], None]) -> None:
    """Check out what the stage train reads, from the cache or, if there is a default remote, from there.

    Raises:
        NotReproducible: neither has it.
    """
    stages: dict[str, dict[str, Any]] = yaml.safe_load((root / "dvc.yaml").read_text())["stages"]
    inputs = [dep for dep in stages["train"]["deps"] if Path(dep).is_relative_to(paths.DATA)]
    lines: list[str] = []
    for words in (("checkout",), ("pull", "--force")):
        lines.clear()
        code = process.run(dvc_command(*words, *inputs), lines.append, env=environment(root), folder=root)
        if code == 0 and all((root / name).exists() for name in inputs):
            return
    for line in lines:
        log(line)
    missing = [name for name in inputs if not (root / name).exists()]
    raise NotReproducible(
        f"Neither DVC's cache nor its default remote has {', '.join(missing)} of that version. Run "
        "`dvc push --run-cache` where it was trained; `dvc remote list` shows the remotes here."
    )


def environment(root: Path, threads: int | None = None) -> dict[str, str]:
    """Return the environment of commands in the clone: its code, an MLflow store of its own, our files."""
    here = Path.cwd()
    mirrors = ",".join(filter(None, [os.environ.get(MIRRORS), str(here), str(here / paths.DOWNLOADS)]))
    own = {
        "PYTHONPATH": str(root),
        "DVC_ROOT": str(root),
        "MLFLOW_TRACKING_URI": f"sqlite:///{root / STORE}",
        MIRRORS: mirrors,
        **({"OMP_NUM_THREADS": str(threads)} if threads else {}),
    }
    return {**dvc_environment(), **own}


def _set_params(path: Path, sections: Mapping[str, Any]) -> None:
    params = yaml.safe_load(path.read_text())
    if any(params.get(name) != section for name, section in sections.items()):
        path.write_text(yaml.safe_dump({**params, **sections}, sort_keys=False))


def _configure(root: Path) -> None:
    """Share cache and remotes: the commit may be older than the remote."""
    from dvc.config import Config
    from dvc.repo import Repo

    with Repo() as repo:
        cache, remotes = repo.cache.local_cache_dir, repo.config["remote"]
        default = repo.config["core"].get("remote")
    shutil.copyfile(".dvc/config", root / ".dvc/config")
    with Config(str(root / ".dvc")).edit("local") as local:
        # Relative, since DVC cannot write a path with other letters than ASCII into a configuration.
        local.setdefault("cache", {})["dir"] = os.path.relpath(cache)
        local["remote"] = remotes
        if default:
            local.setdefault("core", {})["remote"] = default


def _git(*words: str) -> str:
    done = subprocess.run(["git", *words], capture_output=True, text=True)
    if done.returncode:
        raise NotReproducible(
            f"git {' '.join(words[:2])}: {done.stderr.strip()}. A version is reproduced in a clone of its "
            "repository."
        )
    return done.stdout.strip()
