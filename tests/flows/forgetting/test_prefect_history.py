"""In a database with Prefect's own tables; faults/scenarios/forget_killed.py has one of a flow run."""

import json
import sqlite3
import uuid
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import create_engine, insert
from sqlalchemy.schema import CreateTable

from flows.forgetting.prefect_history import PrefectHistory
from flows.local_api import DATABASE
from tasks.forgetting.person import Person

ADA = Person(identities={"Ada Lovelace"}, photos={"ab" * 32})


@pytest.fixture
def history(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A workspace with artifacts and log lines of runs without a server."""
    from prefect.server.database.orm_models import Artifact, Log

    monkeypatch.delenv("PREFECT_API_URL", raising=False)
    (tmp_path / DATABASE).parent.mkdir()
    engine = create_engine(f"sqlite:///{tmp_path / DATABASE}")
    rows = [{"metric": "held_out_identities.names", "value": "Bob, Ada Lovelace"}]
    lines = ["3 pairs without a photo: Ada Lovelace/1 - Bob/2", f"photo {'ab' * 32}", "all is well"]
    now = datetime.now(UTC)
    with engine.begin() as connection:
        for model in (Artifact, Log):
            connection.execute(CreateTable(_table(model)))
        for data in (rows, [{"metric": "kept", "value": "3"}]):
            row = {"id": uuid.uuid4(), "key": "ingest", "data": data}
            connection.execute(insert(_table(Artifact)).values(row))
        for line in lines:
            row = {"id": uuid.uuid4(), "name": "x", "level": 20, "message": line, "timestamp": now}
            connection.execute(insert(_table(Log)).values(row))
    engine.dispose()
    return tmp_path


def _table(model: Any) -> Any:
    return model.__table__


def _left(root: Path) -> tuple[list[str], list[Any]]:
    with closing(sqlite3.connect(root / DATABASE)) as store:
        messages = [row[0] for row in store.execute("SELECT message FROM log ORDER BY message")]
        return messages, [json.loads(row[0]) for row in store.execute("SELECT data FROM artifact")]


def test_artifacts_and_log_lines_go_without_a_byte(history: Path) -> None:
    place = PrefectHistory(history)
    findings = place.find(ADA)
    tables = [(finding.what.partition(": ")[2], finding.count) for finding in findings]
    assert tables == [("artifact", 1), ("log", 2)]
    place.erase(ADA, findings)
    assert place.find(ADA) == []
    assert _left(history) == (["all is well"], [[{"metric": "kept", "value": "3"}]])
    stored = b"".join(path.read_bytes() for path in (history / DATABASE).parent.iterdir())
    assert b"Lovelace" not in stored
    assert b"abab" not in stored


def test_a_workspace_without_flow_runs_has_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PREFECT_API_URL", raising=False)
    assert PrefectHistory(tmp_path).find(ADA) == []
    assert not (tmp_path / DATABASE).exists()
