"""SQLite databases in a backup: a consistent copy while others write, and paths that move with a restore."""

import sqlite3
from contextlib import closing
from pathlib import Path

from operations.errors import ServicesFailed
from tasks.tracking.store import is_sqlite

SIDE_FILES = ("-wal", "-shm", "-journal")  # of a database in use; a copy made by SQLite needs none
BUSY_SECONDS = 60.0
# Columns of MLflow with absolute paths of artifacts, if it runs without a server.
LOCATIONS = (
    ("experiments", "artifact_location"),
    ("runs", "artifact_uri"),
    ("logged_models", "artifact_location"),
    ("model_versions", "storage_location"),
)


def is_database(path: Path) -> bool:
    """Return whether a file is an SQLite database with content."""
    return path.stat().st_size > 0 and is_sqlite(path)


def is_side_file(path: Path) -> bool:
    """Return whether a file belongs to an SQLite database next to it."""
    stems = [path.with_name(path.name.removesuffix(end)) for end in SIDE_FILES if path.name.endswith(end)]
    return any(stem.is_file() and is_database(stem) for stem in stems)


def copy_database(source: Path, target: Path) -> None:
    """Copy a database at one moment in time, with SQLite's online backup.

    Raises:
        ServicesFailed: the database is damaged, or locked for a minute.
    """
    try:
        with (
            closing(
                sqlite3.connect(f"{source.absolute().as_uri()}?mode=ro", uri=True, timeout=BUSY_SECONDS)
            ) as old,
            closing(sqlite3.connect(target)) as new,
        ):
            old.backup(new)
            (state,) = new.execute("PRAGMA integrity_check").fetchone()
    except sqlite3.Error as error:
        raise ServicesFailed(f"The database {source} cannot be copied: {error}.") from error
    if state != "ok":
        raise ServicesFailed(f"The database {source} is damaged: {state}. Restore it from an older backup.")


def move_artifacts(database: Path, old: Path, new: Path) -> int:
    """Replace the folder `old` by `new` where an MLflow database names artifacts in it; return how often.

    Both are absolute. Does nothing to databases of other programs.
    """
    changed = 0
    with closing(sqlite3.connect(database)) as connection, connection:
        tables = {
            name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")
        }
        for table, column in LOCATIONS:
            if table not in tables:
                continue
            for before, after in ((old.as_uri(), new.as_uri()), (str(old), str(new))):
                done = connection.execute(
                    f"UPDATE {table} SET {column} = ? || substr({column}, ?) "  # noqa: S608  # constants above
                    f"WHERE substr({column}, 1, ?) = ?",
                    (f"{after}/", len(before) + 2, len(before) + 1, f"{before}/"),
                )
                changed += done.rowcount
    return changed
