"""Rows reach the log; a full queue and a dead database cost rows, are counted, and break nothing."""

import logging
import threading
import time
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from facenet.errors import StorageFailed
from tasks.monitoring.store import DecisionStore
from tasks.monitoring.writer import DecisionLog
from tests.tasks.monitoring.log import row
from tests.waiting import wait_for

EVER = (date(2000, 1, 1), date(2100, 1, 1))


def rows(path: Path) -> int:
    store = DecisionStore.open(path)
    try:
        return len(store.read(*EVER)["id"])
    finally:
        store.close()


@pytest.fixture
def now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds")


def test_rows_are_written_and_old_ones_removed(tmp_path: Path, now: str) -> None:
    path = tmp_path / "x.db"
    old = (datetime.now(UTC) - timedelta(days=9)).isoformat()
    store = DecisionStore.open(path)
    store.append([row(old)])
    store.close()
    log = DecisionLog(lambda: DecisionStore.open(path), keep_days=7)
    log.start()
    log.add([row(now)] * 1200)
    log.close()
    assert rows(path) == 1200


def test_a_dead_database_costs_what_does_not_fit_into_memory(
    tmp_path: Path, now: str, caplog: pytest.LogCaptureFixture
) -> None:
    path, works, dropped = tmp_path / "x.db", threading.Event(), []

    def open_store() -> DecisionStore:
        if not works.is_set():
            raise StorageFailed("The decision log: the server does not answer.")
        return DecisionStore.open(path)

    log = DecisionLog(open_store, keep_days=7, capacity=10, retry_seconds=0.05)
    log.on_drop = dropped.append
    with caplog.at_level(logging.WARNING):
        log.start()
        began = time.perf_counter()
        log.add([row(now)] * 8)
        log.add([row(now)] * 8)
        assert time.perf_counter() - began < 1  # nobody waits for the database
        time.sleep(0.2)
        works.set()
        wait_for(lambda: path.exists() and rows(path) == 10, 20)
        log.close()
    assert dropped == [6]
    messages = [record.getMessage() for record in caplog.records]
    assert messages.count("decisions not logged: The decision log: the server does not answer.") == 1
    assert sum("decisions dropped" in message for message in messages) == 1
    store = DecisionStore.open(path)
    assert store.count_dropped(datetime.now(UTC).date()) == 6
    store.close()


def test_what_is_lost_at_the_end_is_said(caplog: pytest.LogCaptureFixture, now: str) -> None:
    def fails() -> DecisionStore:
        raise ValueError("any error of a driver")

    log = DecisionLog(fails, keep_days=7, retry_seconds=0.05)
    with caplog.at_level(logging.WARNING):
        log.start()
        log.add([row(now)] * 3)
        log.close()
    messages = [record.getMessage() for record in caplog.records]
    assert messages == ["decisions not logged: ValueError", "decisions lost: 3"]
