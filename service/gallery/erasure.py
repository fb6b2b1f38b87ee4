"""Erase what was removed from the files of the store, and not only from its tables.

SQLite overwrites deleted content (secure_delete), but the write-ahead log has older copies until it is
truncated, and a page can have a copy of a row that was moved to another one. PostgreSQL leaves the row where
it is until the table is rewritten, and its write-ahead log has it until the segment is removed.
"""

from collections.abc import Sequence

from sqlalchemy import update

from service.gallery.database import BUSY_SECONDS, Database
from service.gallery.errors import ErasureIncomplete, StoreFailed
from service.gallery.scan import holds
from service.gallery.schema import info

_TABLES = "gallery_originals, gallery_photos, gallery_people"
_LOG = (
    "PostgreSQL's write-ahead log has it until the server removes the segment; docs/how-to/gallery.md says "
    "how to do so at once."
)


def erase(
    database: Database, version: int, traces: Sequence[bytes] | None = None, *, seconds: float = BUSY_SECONDS
) -> str:
    """Erase everything removed up to a version, and return a remark on what remains, or "".

    traces: the content that was removed; None if it is not known, after an interruption.
    seconds: how long to wait for readers of an SQLite database.

    Raises:
        ErasureIncomplete: a reader did not end in time. The next one to open the gallery finishes it.
        StoreFailed: the database cannot be written, for example because the disk is full.
    """
    if database.is_sqlite:
        _truncate_log(database, seconds)
        if traces is None or _may_hold(database, traces):
            _rewrite(database, seconds)
            _truncate_log(database, seconds)
        remark = ""
    else:
        database.statement(f"VACUUM (FULL) {_TABLES}")
        remark = _drop_log(database)
    with database.writing() as connection:
        connection.execute(update(info).where(info.c.unerased <= version).values(unerased=None))
    return remark


def _may_hold(database: Database, traces: Sequence[bytes]) -> bool:
    try:
        return any(holds(path, traces) for path in database.files())
    except OSError:  # rewriting needs no search
        return True


def _truncate_log(database: Database, seconds: float) -> None:
    ((busy, _, _),) = database.statement("PRAGMA wal_checkpoint(TRUNCATE)", seconds=seconds)
    if busy:
        raise ErasureIncomplete(
            f"It is removed from the gallery {database}, but others have been reading for {seconds:.0f} s: "
            "its bytes are still in the write-ahead log. The next command on the gallery erases them."
        )


def _rewrite(database: Database, seconds: float) -> None:
    """Write all that remains into new pages."""
    database.statement("VACUUM", seconds=seconds)


def _drop_log(database: Database) -> str:
    """Begin a new segment of the log, and let the server drop the old ones, if this user may do so."""
    try:
        database.statement("SELECT pg_switch_wal()")
        database.statement("CHECKPOINT")
        ((recycles,),) = database.statement("SHOW wal_recycle")
    except StoreFailed:
        return _LOG
    return _LOG if recycles == "on" else ""
