"""Servers that are down are in test_doctor.py; here, stores of another version and wrong addresses."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from commands.checks.servers import check_dask, check_mlflow, check_prefect, outdated


def test_a_store_of_another_mlflow_is_named_with_the_command_that_migrates_it(mlflow_store: Path) -> None:
    (finding,) = check_mlflow()
    assert (finding.state, finding.message) == ("ok", "mlflow.db is the store")
    path = mlflow_store / "mlflow.db"
    with closing(sqlite3.connect(path)) as database, database:
        database.execute("UPDATE alembic_version SET version_num = '181f10493468'")  # of MLflow 1
    assert outdated(path) == "181f10493468"
    (finding,) = check_mlflow()
    assert finding.state == "wrong"
    assert finding.fix.endswith(f"mlflow db upgrade sqlite:///{path}")


def test_a_store_that_is_no_database_is_moved_away(mlflow_store: Path) -> None:
    (mlflow_store / "mlflow.db").write_text("text")
    (finding,) = check_mlflow()
    assert "is not an SQLite database" in finding.message
    assert finding.fix.startswith("mv ")


def test_what_is_not_named_is_not_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("PREFECT_API_URL", "FACENET_DASK_SCHEDULER"):
        monkeypatch.delenv(name, raising=False)
    assert [*check_prefect(), *check_dask()] == []


def test_an_address_that_is_none_is_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FACENET_DASK_SCHEDULER", "tcp://127.0.0.1:port")
    (finding,) = check_dask()
    assert finding.state == "wrong"
    assert "port" in finding.message.lower()
