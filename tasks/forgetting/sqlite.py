"""SQLite databases of other programs: rewrite them, so that deleted rows leave no bytes."""

import sqlite3
from contextlib import closing
from pathlib import Path

from facenet.errors import FaceNetError

BUSY_SECONDS = 30.0


class DatabaseBusy(FaceNetError):
    """Another program has the database open and reads or writes it."""


def rewrite(path: Path) -> None:
    """Write all that remains of a database into new pages, and empty its write-ahead log.

    Raises:
        DatabaseBusy: another program kept it locked for 30 s.
    """
    try:
        with closing(sqlite3.connect(path, timeout=BUSY_SECONDS, isolation_level=None)) as connection:
            connection.execute("PRAGMA secure_delete = ON")
            connection.execute("VACUUM")
            ((busy, _, _),) = connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
    except sqlite3.OperationalError as error:
        raise DatabaseBusy(f"{path} cannot be rewritten: {error}. Stop the server that uses it.") from error
    if busy:
        raise DatabaseBusy(f"{path} is in use. Stop the server that uses it, then run the command again.")


def files(path: Path) -> list[Path]:
    """Return the files of a database that exist."""
    found = (path.with_name(path.name + end) for end in ("", "-wal", "-shm", "-journal"))
    return [file for file in found if file.exists()]
