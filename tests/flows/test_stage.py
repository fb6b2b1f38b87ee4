"""A DVC stage as a Prefect task, on real stages."""

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from prefect import flow
from prefect.states import Cancelled, Failed

from flows import stage as stage_module
from flows.stage import NETWORK_RETRIES, StageFailed, StageLocked, reproduce, run_stage, worth_retrying
from flows.watch import RunStopped
from tasks.tracking import TrackingFailed
from tests.waiting import wait_for

UNTIL_REFUSED = """
import pathlib, time
pathlib.Path("started").touch()
while not pathlib.Path("refused").exists():
    time.sleep(0.05)
"""


def ignore(line: str) -> None:
    pass


@contextmanager
def repro_by_hand(stage: str) -> Iterator["subprocess.Popen[bytes]"]:
    """Run a stage that touches the file `started`, as from a terminal, until the block ends."""
    command = [sys.executable, "-m", "dvc", "repro", "--single-item", stage]
    with subprocess.Popen(command, start_new_session=True, stdout=subprocess.DEVNULL) as other:
        wait_for(lambda: Path("started").exists() or other.poll() is not None)
        assert other.poll() is None
        yield other


def test_a_stage_runs_then_is_unchanged_then_comes_from_the_cache(workspace: Any) -> None:
    seen: list[str] = []
    assert reproduce("ingest", seen.append).unchanged is None
    assert "ingest at work" in seen
    assert reproduce("ingest", ignore).unchanged == "unchanged, skipped by DVC"
    shutil.rmtree("reports")
    Path("dvc.lock").unlink()
    seen.clear()
    assert reproduce("ingest", seen.append).unchanged == "unchanged, outputs taken from DVC's cache"
    assert "ingest at work" not in seen
    assert Path("reports/ingest.json").exists()


def test_force_runs_an_unchanged_stage(workspace: Any) -> None:
    reproduce("ingest", ignore)
    seen: list[str] = []
    assert reproduce("ingest", seen.append, force=True).unchanged is None
    assert "ingest at work" in seen


def test_only_this_stage_runs(workspace: Any) -> None:
    reproduce("ingest", ignore)
    reproduce("align", ignore)
    assert sorted(path.name for path in Path("reports").iterdir()) == ["align.json", "ingest.json"]


def test_a_step_that_always_runs_decides_whether_its_stage_runs(workspace: Any) -> None:
    workspace.stepped("ingest")
    Path("source.txt").write_text("first")
    seen: list[str] = []
    assert reproduce("ingest", seen.append).unchanged is None
    assert reproduce("ingest", seen.append).unchanged == "unchanged, skipped by DVC"
    Path("source.txt").write_text("second")
    assert reproduce("ingest", seen.append).unchanged is None
    reproduce("align", seen.append)
    assert (seen.count("step at work"), seen.count("ingest at work")) == (3, 2)


def test_a_stage_runs_with_our_interpreter(workspace: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/usr/bin:/bin")
    workspace.command("ingest", "import sys; print('run by', sys.prefix)")
    seen: list[str] = []
    reproduce("ingest", seen.append)
    assert f"run by {sys.prefix}" in seen


def test_a_stopped_stage_is_cancelled_and_the_run_stops_with_it(
    workspace: Any, api: str, task_runs: Any
) -> None:
    workspace.command("ingest", "import time; open('started', 'w').close(); time.sleep(600)")

    def check() -> None:
        if Path("started").exists():
            raise RunStopped(Cancelled(message="cancelled in the UI"))

    @flow
    def one_stage() -> Any:
        try:
            run_stage("ingest", check=check)
        except RunStopped as stopped:
            return stopped.state

    state: Any = one_stage(return_state=True)
    assert (state.is_cancelled(), state.message) == (True, "cancelled in the UI")
    (run,) = task_runs(state)
    assert run.state_name == "Cancelled"


def test_a_failure_shows_the_last_forty_lines(workspace: Any) -> None:
    workspace.command("ingest", "for i in range(100): print('line', i)\nraise ValueError('no such photo')")
    with pytest.raises(StageFailed) as failure:
        reproduce("ingest", ignore)
    lines = str(failure.value).splitlines()
    assert lines[0].startswith("Stage ingest failed with exit code 255")
    assert len(lines) == 41
    assert "ValueError: no such photo" in lines
    assert "line 99" in lines
    assert "line 1" not in lines
    assert not isinstance(failure.value, StageLocked)


def test_an_unknown_stage_fails_with_what_dvc_says(workspace: Any) -> None:
    with pytest.raises(StageFailed, match="'polish' not found"):
        reproduce("polish", ignore)


def test_a_locked_stage_names_the_process_that_holds_it(workspace: Any) -> None:
    workspace.command("ingest", UNTIL_REFUSED)
    with repro_by_hand("ingest") as other:
        with pytest.raises(StageLocked) as locked:
            reproduce("ingest", ignore)
        os.killpg(other.pid, signal.SIGKILL)  # DVC ignores signals sent only to itself: end the group
    assert f"process {other.pid} (" in str(locked.value)
    assert "repro --single-item ingest" in str(locked.value)


def test_the_holder_of_the_repository_lock_is_named(workspace: Any) -> None:
    Path(".dvc/tmp").mkdir(exist_ok=True)
    stage_module.REPO_LOCK.write_text(f" {os.getpid()}\n")
    failure = stage_module._failure("align", 255, ["ERROR: Unable to acquire lock. Most likely another"])
    assert isinstance(failure, StageLocked)
    assert f"locked by process {os.getpid()} (" in str(failure)


NETWORK = [
    "requests.exceptions.ConnectionError: HTTPSConnectionPool(host='x', port=443): Max retries exceeded",
    "urllib3.exceptions.NewConnectionError: [Errno -2] Name or service not known",
    "ConnectionRefusedError: [Errno 111] Connection refused",
    "requests.exceptions.HTTPError: 503 Server Error: Service Unavailable for url: http://x",
    "MlflowException: too many 500 error responses",
]


@pytest.mark.parametrize("line", NETWORK)
def test_network_errors_are_recognised(line: str) -> None:
    assert stage_module._failure("ingest", 255, ["Traceback", line]).network


@pytest.mark.parametrize("line", ["ValueError: 503 photos", "DataInvalid: 500 rows", "killed", ""])
def test_other_failures_are_not_network_errors(line: str) -> None:
    assert not stage_module._failure("ingest", 255, [line]).network


@pytest.mark.parametrize(
    ("error", "attempt", "again"),
    [
        (StageLocked("train", "busy"), 30, True),
        (StageFailed("ingest", "x", network=True), NETWORK_RETRIES, True),
        (StageFailed("register", "x", network=True), 1, True),
        (StageFailed("ingest", "x", network=True), NETWORK_RETRIES + 1, False),
        (StageFailed("train", "x", network=True), 1, False),
        (StageFailed("ingest", "x"), 1, False),
        (TrackingFailed("server down"), 1, True),
        (TrackingFailed("server down"), NETWORK_RETRIES + 1, False),
        (ValueError("ours"), 1, False),
    ],
)
def test_what_is_worth_retrying(error: Exception, attempt: int, again: bool) -> None:
    run: Any = SimpleNamespace(run_count=attempt)
    assert worth_retrying(stage_module._stage, run, Failed(data=error)) is again


@flow
def one_stage(stage: str, still_holds: Callable[[], bool] | None = None) -> Any:
    return run_stage(stage, still_holds=still_holds)


def test_a_stage_has_the_id_of_its_flow_run(workspace: Any, prefect_api: None) -> None:
    code = "import os, pathlib; pathlib.Path('run').write_text(os.environ['PREFECT__FLOW_RUN_ID'])"
    workspace.command("ingest", code)
    state = one_stage("ingest", return_state=True)
    assert Path("run").read_text() == str(state.state_details.flow_run_id)


def test_the_task_has_the_name_of_the_stage_and_shows_what_was_skipped(
    workspace: Any, prefect_api: None, task_runs: Any
) -> None:
    first = one_stage("ingest", return_state=True)
    second = one_stage("ingest", return_state=True)
    assert first.result().unchanged is None
    assert second.result().unchanged == "unchanged, skipped by DVC"
    (ran,) = task_runs(first)
    (skipped,) = task_runs(second)
    assert (ran.name, ran.state_name) == ("ingest", "Completed")
    assert (skipped.name, skipped.state_name, skipped.state_type.value) == (
        "ingest",
        "Unchanged",
        "COMPLETED",
    )
    assert skipped.state.message == "ingest: unchanged, skipped by DVC"


def test_a_stage_whose_effect_is_gone_runs_again(workspace: Any, prefect_api: None) -> None:
    calls: list[int] = []
    assert one_stage("ingest", lambda: bool(calls.append(1))).unchanged is None
    assert calls == []  # it has just run
    assert one_stage("ingest", lambda: True).unchanged
    assert one_stage("ingest", lambda: bool(calls.append(1))).unchanged is None
    assert calls == [1]


def test_a_failed_stage_fails_its_task_at_once(workspace: Any, prefect_api: None, task_runs: Any) -> None:
    workspace.command("train", "import sys; sys.exit('loss is not finite')")
    state = one_stage("train", return_state=True)
    (run,) = task_runs(state)
    assert state.is_failed()
    assert run.run_count == 1
    assert "loss is not finite" in run.state.message


def test_a_lock_is_waited_for(
    workspace: Any, prefect_api: None, task_runs: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def release_after_a_refusal(*words: Any, **options: Any) -> Any:
        try:
            return reproduce(*words, **options)
        except StageLocked:
            Path("refused").touch()
            raise

    monkeypatch.setattr(stage_module, "RETRY_SECONDS", 0.5)
    monkeypatch.setattr(stage_module, "reproduce", release_after_a_refusal)
    workspace.command("ingest", UNTIL_REFUSED)
    with repro_by_hand("ingest"):
        state = one_stage("ingest", return_state=True)
    (run,) = task_runs(state)
    assert run.run_count > 1
    assert run.state_name == "Unchanged"  # the other process did the work
