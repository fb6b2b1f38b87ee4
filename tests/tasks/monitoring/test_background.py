"""A log that is open while a program works."""

from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from facenet.errors import ParamsInvalid
from tasks.monitoring.background import decision_log, logging_decisions
from tasks.monitoring.store import DecisionStore
from tests.tasks.monitoring.log import row


def test_rows_are_written_at_the_end(tmp_path: Path) -> None:
    now = datetime.now(UTC).isoformat()
    with logging_decisions(tmp_path / "x.db") as log:
        log([row(now)] * 3)
    store = DecisionStore.open(tmp_path / "x.db")
    assert len(store.read(date(2000, 1, 1), date(2100, 1, 1))["id"]) == 3
    store.close()


def test_it_can_be_turned_off(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("FACENET_MONITORING", "none")
    with logging_decisions() as log:
        log([row()])
    assert decision_log() is None
    assert list(tmp_path.iterdir()) == []
    with pytest.raises(ParamsInvalid):
        decision_log("mysql://a/b")
