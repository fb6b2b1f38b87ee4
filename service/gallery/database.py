"""Connections to the database of the gallery, and transactions that read one state or change it."""

import os
import re
import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.engine import URL
from sqlalchemy.exc import DBAPIError

from facenet.storage import explain
from service.gallery.errors import StoreFailed
from tasks.database_urls import printable

BUSY_SECONDS = 60.0  # how long a writer waits for others
CONNECT_SECONDS = 10
PAGE_BYTES = 16384  # with 4096, the default, a page has room for one template of 512 and is half empty
_WRITES = "gallery_writes"
_CREATING = threading.Lock()
_FIXES = (
    (r"disk is full|No space left", "the disk is full. Free some space and run the command again"),
    (r"is locked", f"other processes kept it locked for {BUSY_SECONDS:.0f} s. Try again"),
    (r"readonly|unable to open|permission denied", "it cannot be written. Check the rights of its folder"),
    (r"not a database|malformed", "the file is not an SQLite database, or is damaged. Restore a backup"),
    (
        r"could not (connect|translate)|connection (to server|refused)|timeout expired|server closed",
        "the server does not answer. Start it (`make status` shows the servers of `make up`)",
    ),
    (
        r"authentication failed|database \S+ does not exist|role \S+ does not exist",
        "the server refuses the user or has no such database. Check FACENET_GALLERY",
    ),
)


class Database:
    """A database of a gallery; safe to use from several threads, but not across a fork."""

    def __init__(self, url: URL) -> None:
        self.url = url
        self.is_sqlite = url.drivername == "sqlite"
        self.path = Path(str(url.database)) if self.is_sqlite else None
        if self.path is not None:
            self._prepare_file(self.path)
        self.engine = _sqlite(url) if self.is_sqlite else _postgresql(url)

    def __str__(self) -> str:
        return printable(self.url)

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """Yield a connection that sees the state of one moment.

        Raises:
            StoreFailed: the database cannot be read.
        """
        options: dict[str, Any] = {}
        if not self.is_sqlite:
            options = {"isolation_level": "REPEATABLE READ", "postgresql_readonly": True}
        with self._transaction(options) as connection:
            yield connection

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """Yield a connection whose changes are durable after the block, or undone if it raises.

        Raises:
            StoreFailed: the database cannot be written.
        """
        with self._transaction({_WRITES: True}) as connection:
            yield connection

    def statement(self, text: str, *, seconds: float = BUSY_SECONDS) -> list[Any]:
        """Run a statement that must not be in a transaction, such as VACUUM, and return its rows.

        seconds: how long SQLite waits for others.
        """
        with self._explained():
            raw = self.engine.raw_connection()
            try:
                driver: Any = raw.driver_connection
                if not self.is_sqlite:
                    driver.autocommit = True
                cursor = driver.cursor()
                if self.is_sqlite:
                    cursor.execute(f"PRAGMA busy_timeout = {int(seconds * 1000)}")
                cursor.execute(text)
                return list(cursor.fetchall()) if cursor.description else []
            finally:
                raw.invalidate()  # its settings are not those of the others

    def files(self) -> list[Path]:
        """Return the files of an SQLite database that exist."""
        if self.path is None:
            return []
        found = [self.path.with_name(self.path.name + end) for end in ("", "-wal", "-shm", "-journal")]
        return [path for path in found if path.exists()]

    def close(self) -> None:
        """Close all connections."""
        self.engine.dispose()

    @contextmanager
    def _transaction(self, options: dict[str, Any]) -> Iterator[Connection]:
        with (
            self._explained(),
            self.engine.connect().execution_options(**options) as connection,
            connection.begin(),
        ):
            yield connection

    @contextmanager
    def _explained(self) -> Iterator[None]:
        try:
            yield
        except (DBAPIError, sqlite3.Error) as error:
            raise self._explain(error) from error
        except Exception as error:
            if type(error).__module__.startswith("psycopg2"):  # by a statement outside of a transaction
                raise self._explain(error) from error
            raise

    def _explain(self, error: Exception) -> StoreFailed:
        # The message of SQLAlchemy would contain the statement with names and templates.
        message = str(error.orig if isinstance(error, DBAPIError) else error).strip().partition("\nDETAIL")[0]
        for pattern, fix in _FIXES:
            if re.search(pattern, message, re.IGNORECASE):
                return StoreFailed(f"The gallery {self}: {fix}.")
        return StoreFailed(f"The gallery {self} failed: {' '.join(message.split())}.")

    def _prepare_file(self, path: Path) -> None:
        """Create folder and file for this user alone: SQLite gives its other files the same rights.

        Never opens a file that exists: closing it would drop the locks of this process's connections.
        """
        try:
            with _CREATING:
                path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
                with suppress(FileExistsError):
                    os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))
        except OSError as error:
            raise StoreFailed(f"The gallery {path} cannot be created: {explain(error) or error}") from error


def _sqlite(url: URL) -> Engine:
    engine = create_engine(url, connect_args={"timeout": BUSY_SECONDS}, hide_parameters=True)
    event.listen(engine, "connect", _configure)
    event.listen(engine, "begin", _begin)
    return engine


def _postgresql(url: URL) -> Engine:
    arguments = {"connect_timeout": CONNECT_SECONDS, "application_name": "facenet-gallery"}
    return create_engine(url, connect_args=arguments, hide_parameters=True, pool_pre_ping=True)


def _configure(connection: sqlite3.Connection, _: object) -> None:
    connection.isolation_level = None  # `_begin` sends BEGIN, also before DDL
    connection.execute(f"PRAGMA page_size = {PAGE_BYTES}")  # of a new file; before it uses the log
    _use_wal(connection)
    # synchronous: what was acknowledged survives a power failure too. secure_delete: deleted content is
    # overwritten with zeros.
    for setting in ("synchronous = FULL", "secure_delete = ON", "foreign_keys = ON"):
        connection.execute(f"PRAGMA {setting}")


def _use_wal(connection: sqlite3.Connection) -> None:
    """Turn on the write-ahead log; two processes that do so at once can get an error instead of waiting."""
    deadline = time.monotonic() + BUSY_SECONDS
    while True:
        try:
            connection.execute("PRAGMA journal_mode = WAL")
        except sqlite3.OperationalError as error:
            if "locked" not in str(error) or time.monotonic() > deadline:
                raise
            time.sleep(0.01)
        else:
            return


def _begin(connection: Connection) -> None:
    writes = connection.get_execution_options().get(_WRITES)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")
