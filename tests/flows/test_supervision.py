"""Flows around their work: the workspace, the time limit, and the states they end in."""

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import pytest
from prefect import flow
from prefect.client.orchestration import get_client
from prefect.states import Cancelling

from flows import watch as watch_module
from flows.supervision import EXIT_SECONDS, supervise
from flows.watch import Watch
from flows.workspace import exclusive
from tests.waiting import wait_for

pytestmark = pytest.mark.usefixtures("api")

STUBBORN = """
import signal, time
from prefect import flow
from flows.supervision import supervise

def slow_to_end(watch):
    print("working", flush=True)
    try:
        time.sleep(600)
    finally:
        time.sleep(0)

@flow
def stubborn():
    try:
        return supervise(slow_to_end, timeout_hours=1)
    finally:
        time.sleep(600)  # as Prefect does while it reports the end to a server that is away

stubborn()
"""


@pytest.fixture(autouse=True)
def _in_a_workspace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / ".dvc").mkdir()
    (tmp_path / ".git").mkdir()
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    monkeypatch.setattr(watch_module, "POLL_SECONDS", 0.05)


def until_stopped(watch: Watch) -> None:
    while True:
        watch.check()
        time.sleep(0.02)


def test_the_result_of_the_work_is_that_of_the_flow_and_the_workspace_is_locked_meanwhile() -> None:
    @flow
    def locked() -> Any:
        return supervise(lambda _: Path(".dvc/tmp/flow.lock").read_text(), timeout_hours=1)

    assert "flow run '" in locked()
    assert Path(".dvc/tmp/flow.lock").read_text() == ""


def test_work_that_takes_too_long_times_out() -> None:
    @flow
    def slow() -> Any:
        return supervise(until_stopped, timeout_hours=0.0001)

    state: Any = slow(return_state=True)
    assert (state.name, state.type.value) == ("TimedOut", "FAILED")


def test_a_run_that_waits_for_the_workspace_says_so_and_can_be_cancelled() -> None:
    @flow
    def waiting() -> Any:
        return supervise(lambda _: "worked", timeout_hours=1)

    def cancel() -> None:
        with get_client(sync_client=True) as client:

            def waits() -> Any:
                runs = client.read_flow_runs(limit=1, sort="START_TIME_DESC")  # type: ignore[arg-type]
                return runs[0] if runs and runs[0].state.name == "WaitingForWorkspace" else None

            run = wait_for(waits)
            assert "Waiting for the other" in run.state.message
            client.set_flow_run_state(run.id, Cancelling(), force=True)

    canceller = threading.Thread(target=cancel)
    with exclusive("the other", print):
        canceller.start()
        state: Any = waiting(return_state=True)
    canceller.join()
    assert state.is_cancelled()


def test_a_terminated_run_ends_even_if_reporting_its_end_takes_longer(root: Path) -> None:
    process = subprocess.Popen(
        [sys.executable, "-c", STUBBORN],
        env={**os.environ, "PYTHONPATH": str(root)},
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    assert process.stdout.readline() == "working\n"
    process.send_signal(signal.SIGTERM)
    start = time.monotonic()
    assert process.wait(60) == 143
    assert time.monotonic() - start < EXIT_SECONDS + 8
    process.stdout.close()
