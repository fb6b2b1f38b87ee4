"""Databases that are new, foreign, of another version, damaged or away."""

import sqlite3
import stat
from pathlib import Path

import pytest

from facenet.errors import StorageFailed
from tasks.monitoring.database import Database
from tasks.monitoring.location import locate


def test_a_new_file_is_for_this_user_alone_and_uses_the_write_ahead_log(tmp_path: Path) -> None:
    path = tmp_path / "new" / "decisions.db"
    Database(locate(path)).close()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert sqlite3.connect(path).execute("PRAGMA journal_mode").fetchone() == ("wal",)
    Database(locate(path)).close()  # it is there already


def test_a_database_of_something_else(tmp_path: Path) -> None:
    with sqlite3.connect(tmp_path / "x.db") as other:
        other.execute("CREATE TABLE things (id INTEGER)")
    with pytest.raises(StorageFailed, match="database of something else: it has the table things"):
        Database(locate(tmp_path / "x.db"))


def test_tables_of_another_version(tmp_path: Path) -> None:
    Database(locate(tmp_path / "x.db")).close()
    with sqlite3.connect(tmp_path / "x.db") as other:
        other.execute("UPDATE monitoring_info SET version = 2")
    with pytest.raises(StorageFailed, match="tables of version 2, and this program knows 1"):
        Database(locate(tmp_path / "x.db"))


def test_what_cannot_be_used_is_named(tmp_path: Path) -> None:
    (tmp_path / "x.db").write_bytes(b"no database at all, but long enough" * 100)
    with pytest.raises(StorageFailed, match="not an SQLite database"):
        Database(locate(tmp_path / "x.db"))
    (tmp_path / "file").touch()
    with pytest.raises(StorageFailed, match="cannot be created"):
        Database(locate(tmp_path / "file" / "x.db"))
    with pytest.raises(StorageFailed, match="the server does not answer") as error:
        Database(locate("postgresql://ann:secret@127.0.0.1:9/log"))
    assert "secret" not in str(error.value)
