"""Pull before a run and push after it, with a real DVC remote in a folder."""

import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from prefect import flow

from flows import remote
from flows.remote import PULL, PUSH, default_remote, exchange, pull, push
from flows.stage import reproduce

NOWHERE = "/proc/nowhere"  # where not even root can create a folder


@pytest.fixture(autouse=True)
def _no_pause(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(remote, "PAUSE_SECONDS", 0.0)


def add_remote(url: str) -> None:
    dvc("remote", "add", "--default", "--force", "storage", url)


def dvc(*words: str) -> None:
    subprocess.run([sys.executable, "-m", "dvc", *words], check=True, capture_output=True)


def test_another_machine_runs_nothing_after_a_pull(
    workspace: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert default_remote() is None
    add_remote(str(tmp_path / "storage"))
    assert default_remote() == "storage"
    for stage in ("ingest", "align"):
        reproduce(stage, print)
    assert exchange(PUSH, print) == ""
    other = tmp_path / "other"
    shutil.copytree(workspace.root, other, ignore=shutil.ignore_patterns("cache", "tmp", "reports"))
    shutil.rmtree(workspace.root)
    monkeypatch.chdir(other)
    assert exchange(PULL, print) == ""
    for stage in ("ingest", "align"):
        assert reproduce(stage, print).unchanged == "unchanged, skipped by DVC"


def test_what_the_remote_lacks_is_computed(
    workspace: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    add_remote(str(tmp_path / "storage"))
    reproduce("ingest", print)
    shutil.rmtree(".dvc/cache")
    shutil.rmtree("reports")
    assert exchange(PULL, print) == ""
    assert reproduce("ingest", print).unchanged is None
    lines: list[str] = []
    add_remote(NOWHERE)
    monkeypatch.setattr(remote, "ATTEMPTS", 2)
    assert "failed for the remote storage" in exchange(PUSH, lines.append)
    assert sum("push failed, attempt" in line for line in lines) == 2


def test_a_pull_never_discards_a_result_that_is_not_committed(
    workspace: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(remote, "ATTEMPTS", 1)
    add_remote(str(tmp_path / "storage"))
    reproduce("ingest", print)
    assert exchange(PUSH, print) == ""
    Path("reports/ingest.json").write_text("by hand")
    assert "`dvc pull --run-cache --allow-missing` failed for the remote storage: " in exchange(PULL, print)
    assert Path("reports/ingest.json").read_text() == "by hand"


def test_failures_are_named_states_and_part_of_the_summary(
    workspace: Any, api: str, task_runs: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(remote, "ATTEMPTS", 1)

    def git(*words: str) -> str:
        user = ("-c", "user.name=t", "-c", "user.email=t@example.org")
        return subprocess.run(["git", *user, *words], check=True, capture_output=True, text=True).stdout

    git("init", "-q", "-b", "main")
    git("add", "stage.py", "params.yaml", "dvc.yaml")
    git("commit", "-qm", "Begin")
    reproduce("ingest", print)

    @flow
    def night(commit: str | None) -> str:
        pull()
        return push(commit, "facenet version 1")

    assert night("nightly") == "facenet version 1"
    assert git("show", "nightly:dvc.lock") == Path("dvc.lock").read_text()
    assert git("log", "-1", "--format=%b", "nightly").strip() == "facenet version 1"
    Path("stage.py").write_text("# changed")
    assert "Not committed: The commit would not be what ran" in night("nightly")

    add_remote(NOWHERE)
    state = night("nightly", return_state=True)
    text = state.result()
    assert text.startswith("facenet version 1. `dvc push --run-cache` failed for the remote storage: ")
    assert text.endswith("dvc.lock was not committed on nightly.")
    assert NOWHERE.rpartition("/")[0] in text
    runs = [(run.name, run.state_name) for run in task_runs(state, 2)]
    assert ("push", "Push failed") in runs
