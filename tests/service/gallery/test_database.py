"""Transactions, durability settings, file permissions, and the error messages when the database fails."""

import sqlite3
import stat
import threading
import time
from pathlib import Path

import pytest
from sqlalchemy import text

from service.gallery.database import Database
from service.gallery.errors import StoreFailed
from service.gallery.location import locate
from tests.disks import small_disk
from tests.servers import free_port


def new(path: Path) -> Database:
    database = Database(locate(path))
    with database.writing() as connection:
        connection.execute(text("CREATE TABLE t (x)"))
    return database


def test_settings_that_keep_and_erase_data_are_on(tmp_path: Path) -> None:
    database = new(tmp_path / "new" / "g.db")
    with database.reading() as connection:
        found = {
            name: connection.execute(text(f"PRAGMA {name}")).scalar()
            for name in (
                "page_size",
                "journal_mode",
                "synchronous",
                "secure_delete",
                "foreign_keys",
                "busy_timeout",
            )
        }
        files = database.files()
        modes = {stat.S_IMODE(path.stat().st_mode) for path in files}
    full, on = 2, 1
    assert found == {
        "page_size": 16384,
        "journal_mode": "wal",
        "synchronous": full,
        "secure_delete": on,
        "foreign_keys": on,
        "busy_timeout": 60_000,
    }
    assert [path.name for path in files] == ["g.db", "g.db-wal", "g.db-shm"]
    assert modes == {0o600}
    assert stat.S_IMODE((tmp_path / "new").stat().st_mode) == 0o700
    database.close()


def test_a_reader_sees_one_moment_and_a_failed_change_is_undone(tmp_path: Path) -> None:
    database = new(tmp_path / "g.db")
    count = text("SELECT count(*) FROM t")
    with database.reading() as reader:
        assert reader.execute(count).scalar() == 0
        with database.writing() as writer:
            writer.execute(text("INSERT INTO t VALUES (1)"))
        assert reader.execute(count).scalar() == 0
    with pytest.raises(StoreFailed, match="no such table: other"):
        _insert_twice(database)
    with database.reading() as reader:
        assert reader.execute(count).scalar() == 1
    database.close()


def _insert_twice(database: Database) -> None:
    with database.writing() as writer:
        writer.execute(text("INSERT INTO t VALUES (2)"))
        writer.execute(text("INSERT INTO other VALUES (2)"))


def test_a_writer_waits_for_another(tmp_path: Path) -> None:
    database = new(tmp_path / "g.db")
    entered = threading.Event()

    def hold() -> None:
        with database.writing():
            entered.set()
            time.sleep(0.3)

    thread = threading.Thread(target=hold)
    thread.start()
    entered.wait()
    start = time.monotonic()
    with database.writing():
        assert time.monotonic() - start > 0.2
    thread.join()
    database.close()


def test_a_full_disk_is_named_and_nothing_is_lost(tmp_path: Path) -> None:
    with small_disk(tmp_path / "disk", 512) as folder:
        database = new(folder / "g.db")
        with database.writing() as connection:
            connection.execute(text("INSERT INTO t VALUES ('kept')"))
        with pytest.raises(StoreFailed, match=r"g\.db: the disk is full\. Free some space"):  # noqa: SIM117
            with database.writing() as connection:
                connection.execute(text("INSERT INTO t VALUES (randomblob(1000000))"))
        with database.reading() as connection:
            assert connection.execute(text("SELECT x FROM t")).scalars().all() == ["kept"]
        database.close()


def test_files_that_are_not_databases_are_named(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("some notes\n" * 500)
    with pytest.raises(StoreFailed, match=r"notes\.txt: the file is not an SQLite database"):
        new(tmp_path / "notes.txt")
    with pytest.raises(
        StoreFailed,
        match=r"notes\.txt/g\.db cannot be created: .*notes.txt: a file is where a folder is needed",
    ):
        new(tmp_path / "notes.txt" / "g.db")


def test_a_lock_that_stays_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("service.gallery.database.BUSY_SECONDS", 0.05)
    database = new(tmp_path / "g.db")
    other = sqlite3.connect(tmp_path / "g.db")
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(StoreFailed, match="other processes kept it locked"), database.writing():
        pass
    other.close()
    database.close()


def test_a_server_that_is_away_is_named_without_its_password() -> None:
    database = Database(locate(f"postgresql://ada:s3cret@127.0.0.1:{free_port()}/faces"))
    with pytest.raises(StoreFailed, match="the server does not answer") as failed, database.reading():
        pass
    assert "s3cret" not in str(failed.value)
    with pytest.raises(StoreFailed, match="the server does not answer"):
        database.statement("VACUUM")


def test_errors_do_not_show_the_values_of_a_statement(tmp_path: Path) -> None:
    database = new(tmp_path / "g.db")
    with pytest.raises(StoreFailed, match=r"no such table: other") as failed:  # noqa: SIM117
        with database.writing() as connection:
            connection.execute(text("INSERT INTO other VALUES (:x)"), {"x": "Ada Lovelace"})
    assert "Ada" not in str(failed.value)
    assert "INSERT" not in str(failed.value)
    database.close()
