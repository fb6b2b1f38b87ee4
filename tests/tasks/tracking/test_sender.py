"""A stage does not wait for a server that is away or hangs, and the run has everything once it is back."""

import logging
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tasks.tracking import sender as module
from tasks.tracking.delivery import OUTBOX_TAG, deliver
from tasks.tracking.outbox import Outbox
from tasks.tracking.runs import find_run
from tasks.tracking.sender import Sender
from tasks.tracking.store import client
from tests.gate import Gate, gate_to
from tests.waiting import wait_for

pytestmark = [pytest.mark.server, pytest.mark.slow]


@pytest.fixture
def gate(mlflow_server: str, mlflow_store: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Gate]:
    """A gate to a real server, to which MLFLOW_TRACKING_URI points."""
    monkeypatch.setattr(module, "PAUSES", (0.2,))
    monkeypatch.setattr(module, "COLLECT_SECONDS", 0.05)
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    with gate_to(mlflow_server) as gate:
        monkeypatch.setenv("MLFLOW_TRACKING_URI", gate.address)
        yield gate


def log(outbox: Outbox, steps: range) -> float:
    """Log a metric for each step and return the seconds of the slowest call."""
    slowest = 0.0
    for step in steps:
        begin = time.perf_counter()
        outbox.log_metrics({"loss": 1 / (step + 1)}, step)
        slowest = max(slowest, time.perf_counter() - begin)
    return slowest


def logged(name: str) -> list[int]:
    run = find_run(OUTBOX_TAG, name)
    return [point.step for point in client().get_metric_history(run.run_id, "loss")] if run else []


def test_an_outage_costs_the_stage_nothing_and_the_run_has_every_step(
    gate: Gate, mlflow_store: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with Outbox("outage") as outbox:
        with Sender(outbox) as sender, caplog.at_level(logging.WARNING):
            outbox.start(name="r", tags={}, resumable=mlflow_store / "none")
            log(outbox, range(5))
            assert sender.run_id() is not None
            wait_for(outbox.all_sent)
            gate.close()
            assert log(outbox, range(5, 300)) < 0.5
            wait_for(lambda: "Metrics are kept in" in caplog.text)
            gate.open()
            wait_for(lambda: "answers again" in caplog.text)
            assert log(outbox, range(300, 310)) < 0.5
            outbox.end("FINISHED")
        assert sender.arrived
        assert caplog.text.count("Metrics are kept in") == 1, "an outage is named once"
    assert logged("outage") == list(range(310))


@pytest.mark.parametrize("hangs", [False, True])
def test_what_a_server_that_stays_away_did_not_get_is_delivered_later(
    gate: Gate,
    mlflow_store: Path,
    hangs: bool,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setattr(module, "PATIENCE", 1.0)
    name = f"away {hangs}"
    gate.close()
    if hangs:
        gate.hangs = True
        gate.open()
    begin = time.perf_counter()
    with Outbox(name) as outbox:
        with Sender(outbox) as sender, caplog.at_level(logging.WARNING):
            outbox.start(name="r", tags={}, resumable=mlflow_store / "none")
            log(outbox, range(5))
            assert sender.run_id() is None
            outbox.end("FINISHED")
        assert not sender.arrived
    assert time.perf_counter() - begin < 30
    assert "did not receive everything. The rest is in" in caplog.text
    gate.close()
    gate.hangs = False
    gate.open()
    deliver()
    assert logged(name) == list(range(5))
    assert not (mlflow_store / "data/outbox" / name).exists()
