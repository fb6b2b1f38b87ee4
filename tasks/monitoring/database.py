"""Connections to the database of the decision log, whose tables are created on first use."""

import os
import re
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from sqlalchemy import Connection, Engine, create_engine, event, inspect, select, text
from sqlalchemy.engine import URL
from sqlalchemy.exc import DBAPIError

from facenet.errors import StorageFailed
from facenet.storage import explain
from tasks.database_urls import printable
from tasks.monitoring.location import VARIABLE
from tasks.monitoring.schema import INFO, VERSION, info, metadata

BUSY_SECONDS = 10.0
CONNECT_SECONDS = 5
_LOCK = 0x6661636D  # any number that other programs do not use in the same database
_FIXES = (
    (r"disk is full|No space left", "the disk is full. Free some space"),
    (r"is locked", f"other processes kept it locked for {BUSY_SECONDS:.0f} s. Try again"),
    (r"readonly|unable to open|permission denied", "it cannot be written. Check the rights of its folder"),
    (r"not a database|malformed", "the file is not an SQLite database, or is damaged. Move it away"),
    (
        r"could not (connect|translate)|connection (to server|refused)|timeout expired|server closed",
        "the server does not answer. Start it",
    ),
    (
        r"authentication failed|database \S+ does not exist|role \S+ does not exist",
        f"the server refuses the user or has no such database. Check {VARIABLE}",
    ),
)


class Database:
    """A database with the tables of the decision log; safe to use from several threads.

    Raises:
        StorageFailed: it cannot be used, belongs to something else, or another version has written it.
    """

    def __init__(self, url: URL) -> None:
        self._url = url
        self._is_sqlite = url.drivername == "sqlite"
        if self._is_sqlite:
            _prepare_file(Path(str(url.database)))
        self._engine = _sqlite(url) if self._is_sqlite else _postgresql(url)
        with self.transaction() as connection:
            self._create(connection)

    def __str__(self) -> str:
        return printable(self._url)

    @contextmanager
    def transaction(self) -> Iterator[Connection]:
        """Yield a connection whose changes are stored after the block, or undone if it raises.

        Raises:
            StorageFailed: the database cannot be read or written.
        """
        try:
            with self._engine.begin() as connection:
                yield connection
        except (DBAPIError, sqlite3.Error) as error:
            raise self._explained(error) from error

    def close(self) -> None:
        """Close all connections."""
        self._engine.dispose()

    def _create(self, connection: Connection) -> None:
        """Create the tables if there are none; two processes may do so at once."""
        if not self._is_sqlite:
            connection.execute(text(f"SELECT pg_advisory_xact_lock({_LOCK})"))
        tables = inspect(connection).get_table_names()
        if INFO not in tables:
            if tables and self._is_sqlite:
                raise StorageFailed(
                    f"{self} is a database of something else: it has the table {tables[0]}. Set {VARIABLE} "
                    "to another file."
                )
            metadata.create_all(connection)
            connection.execute(info.insert().values(version=VERSION))
        version = connection.execute(select(info.c.version)).scalar()
        if version != VERSION:
            raise StorageFailed(
                f"The decision log {self} has tables of version {version}, and this program knows {VERSION}. "
                f"Install the version of facenet-pipeline that wrote it, or set {VARIABLE} to another file."
            )

    def _explained(self, error: Exception) -> StorageFailed:
        message = str(error.orig if isinstance(error, DBAPIError) else error).strip().partition("\n")[0]
        for pattern, fix in _FIXES:
            if re.search(pattern, message, re.IGNORECASE):
                return StorageFailed(f"The decision log {self}: {fix}.")
        return StorageFailed(f"The decision log {self} failed: {message}.")


def _prepare_file(path: Path) -> None:
    """Create folder and file for this user alone: SQLite gives its other files the same rights."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        with suppress(FileExistsError):
            os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))
    except OSError as error:
        raise StorageFailed(
            f"The decision log {path} cannot be created: {explain(error) or error}"
        ) from error


def _sqlite(url: URL) -> Engine:
    engine = create_engine(url, connect_args={"timeout": BUSY_SECONDS}, hide_parameters=True)
    event.listen(engine, "connect", _configure)
    event.listen(engine, "begin", lambda connection: connection.exec_driver_sql("BEGIN IMMEDIATE"))
    return engine


def _postgresql(url: URL) -> Engine:
    arguments = {"connect_timeout": CONNECT_SECONDS, "application_name": "facenet-monitoring"}
    return create_engine(url, connect_args=arguments, hide_parameters=True, pool_pre_ping=True)


def _configure(connection: sqlite3.Connection, _: object) -> None:
    connection.isolation_level = None  # BEGIN is sent by us, also before DDL
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = NORMAL")  # a power failure may cost the last rows of a log
