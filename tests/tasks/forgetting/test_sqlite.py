import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from tasks.forgetting import sqlite
from tasks.forgetting.sqlite import DatabaseBusy, files, rewrite

SECRET = b"a secret that has to go " * 40


def _fill(path: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("CREATE TABLE t (x BLOB)")
    connection.executemany("INSERT INTO t VALUES (?)", [(SECRET,), (b"stays",)])
    connection.execute("DELETE FROM t WHERE x = ?", (SECRET,))
    return connection


def test_deleted_rows_leave_no_bytes_in_database_and_log(tmp_path: Path) -> None:
    path = tmp_path / "a.db"
    with closing(_fill(path)) as connection:
        assert any(SECRET[:30] in file.read_bytes() for file in files(path))
        rewrite(path)
        assert not any(SECRET[:30] in file.read_bytes() for file in files(path))
        assert connection.execute("SELECT x FROM t").fetchall() == [(b"stays",)]


def test_a_database_in_use_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sqlite, "BUSY_SECONDS", 0.1)
    path = tmp_path / "a.db"
    with closing(_fill(path)) as connection:
        connection.execute("BEGIN IMMEDIATE")
        with pytest.raises(DatabaseBusy, match="cannot be rewritten: database is locked"):
            rewrite(path)
