"""Provenance as tags: the commit, dvc.lock and the orchestrator's run."""

import os
import subprocess
from pathlib import Path

import yaml

from facenet.digests import file_digest

LOCK = "dvc.lock"  # names the data of a run by digest
FOLDER = "provenance"  # of the artifacts of a run: its dvc.lock


def workspace() -> Path:
    """Return the root of the workspace: DVC_ROOT inside a stage, otherwise the working folder."""
    return Path(os.environ.get("DVC_ROOT") or Path.cwd()).absolute()


def commit() -> str:
    """Return the workspace's commit, with "-dirty" if tracked files have changed since; "" without git.

    dvc.lock is ignored: every stage of a run changes it.
    """
    head = _git("rev-parse", "--verify", "--quiet", "HEAD")
    changed = _git("status", "--porcelain", "--untracked-files=no", "--", ".", ":(exclude)dvc.lock")
    return f"{head}-dirty" if head and changed else head


def _git(*arguments: str) -> str:
    try:
        done = subprocess.run(
            ["git", *arguments], cwd=workspace(), capture_output=True, text=True, check=False
        )
    except FileNotFoundError:  # a container without git
        return ""
    return done.stdout.strip() if done.returncode == 0 else ""


def dvc_md5(path: str) -> str | None:
    """Return the MD5 that dvc.lock has for an output, None if it has none."""
    lock = workspace() / LOCK
    stages = (yaml.safe_load(lock.read_text()) or {}).get("stages", {}) if lock.exists() else {}
    outs = [out for stage in stages.values() for out in stage.get("outs", [])]
    return next((out.get("md5") for out in outs if out["path"] == path), None)


def provenance() -> dict[str, str]:
    """Return the provenance tags of a run: commit, dvc.lock, DVC stage, Prefect flow run."""
    name, lock = commit(), workspace() / LOCK
    tags = {
        "commit": name.removesuffix("-dirty"),
        "mlflow.source.git.commit": name.removesuffix("-dirty"),
        "dirty": str(name.endswith("-dirty")).lower() if name else "",
        "dvc_lock_sha256": file_digest(lock) if lock.exists() else "",
        "dvc_stage": os.environ.get("DVC_STAGE", ""),
        "prefect_flow_run_id": os.environ.get("PREFECT__FLOW_RUN_ID", ""),
    }
    return {key: value for key, value in tags.items() if value}
