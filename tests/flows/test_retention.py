"""What is shown and what is removed; faults/scenarios/retention.py does it with Prefect and DVC as well."""

import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import yaml

from flows import retention
from flows.retention import prune_cache, prune_mlflow
from tasks.tracking import open_run, start_run
from tasks.tracking.store import client


def test_old_runs_are_shown_and_stay(mlflow_store: Path) -> None:
    """tests/tasks/tracking/test_retention.py removes them."""
    lines: list[str] = []
    run = start_run(name="an old run", tags={})
    ended = datetime.now(UTC) - timedelta(days=100)
    client().set_terminated(run.run_id, end_time=int(ended.timestamp() * 1000))
    before = datetime.now(UTC) - timedelta(days=90)
    prune_mlflow(before, apply=False, say=lines.append)
    assert lines == [f"MLflow: 1 runs that ended before {before:%Y-%m-%d}: an old run"]
    assert open_run(run.run_id)


def run(*words: str) -> str:
    return subprocess.run(words, check=True, capture_output=True, text=True).stdout.strip()


def make_champion(commit: str) -> None:
    """Register a version of that commit with the present dvc.lock."""
    run = start_run(name="champion", tags={})
    run.log_file(Path("dvc.lock"), "provenance")
    store = client()
    store.create_registered_model("facenet")
    tags = {"commit": commit}
    version = store.create_model_version("facenet", source="s3://x/y", run_id=run.run_id, tags=tags)
    store.set_registered_model_alias("facenet", "champion", version.version)


def test_the_cache_stays_if_a_version_in_use_has_an_unknown_commit(
    mlflow_store: Path, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The working folder is no Git repository: dvc gc does not run, and does not fail either."""
    Path("params.yaml").write_bytes((root / "params.yaml").read_bytes())
    Path("dvc.lock").write_text("schema: '2.0'")
    make_champion("0" * 40)
    lines: list[str] = []
    monkeypatch.setattr(retention.process, "run", None)  # must not be called
    prune_cache(apply=True, say=lines.append)
    assert len(lines) == 1
    assert lines[0].startswith("DVC: the cache is left alone")


def test_data_of_branches_and_of_versions_in_use_stay(mlflow_store: Path, root: Path) -> None:
    dvc = (sys.executable, "-m", "dvc")
    run("git", "init", "-q", "-b", "main")
    run(*dvc, "init", "-q")
    Path("params.yaml").write_bytes((root / "params.yaml").read_bytes())
    stage = {"cmd": "cp code.py faces.txt", "deps": ["code.py"], "outs": ["faces.txt"]}
    Path("dvc.yaml").write_text(yaml.safe_dump({"stages": {"ingest": stage}}))
    Path(".gitignore").write_text("faces.txt\n")
    for night in ("of the champion", "of nobody", "of today"):
        Path("code.py").write_text(night)
        run("git", "add", "code.py", "dvc.yaml", "params.yaml", ".gitignore", ".dvc")  # not dvc.lock
        run("git", "-c", "user.name=t", "-c", "user.email=t@example.org", "commit", "-qm", night)
        run(*dvc, "repro", "-q")
        if night == "of the champion":
            make_champion(run("git", "rev-parse", "HEAD"))

    def cached() -> set[str]:
        return {path.read_text() for path in Path(".dvc/cache/files").rglob("*") if path.is_file()}

    assert cached() == {"of the champion", "of nobody", "of today"}
    lines: list[str] = []
    prune_cache(apply=False, say=lines.append)
    assert len(cached()) == 3
    assert any("1 objects" in line for line in lines), lines
    assert not any("missing version info" in line for line in lines)
    prune_cache(apply=True, say=lines.append)
    assert cached() == {"of the champion", "of today"}
    assert list(Path(".dvc/tmp").glob("reproduce-*")) == []
