"""The decision log: rows are appended, read by day, and removed when they are old."""

import json
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any, Self

from sqlalchemy import delete, func, insert, select

from tasks.monitoring.database import Database
from tasks.monitoring.location import locate
from tasks.monitoring.rows import DecisionRow
from tasks.monitoring.schema import days, decisions, dropped

Columns = dict[str, list[Any]]
MAX_READ = 100_000  # rows of one answer


class DecisionStore:
    """The log in one database; safe to use from several threads and processes."""

    def __init__(self, database: Database) -> None:
        self._database = database

    @classmethod
    def open(cls, place: str | Path | None = None) -> Self:
        """Return the log at a path or URL, created if it is missing.

        Args:
            place: None: FACENET_MONITORING, else monitoring/decisions.db.

        Raises:
            ParamsInvalid: the place is not valid.
            StorageFailed: the database cannot be used.
        """
        return cls(Database(locate(place)))

    def __str__(self) -> str:
        return str(self._database)

    def append(self, rows: Sequence[DecisionRow]) -> None:
        """Store rows, all or none.

        Raises:
            StorageFailed: the database cannot be written.
        """
        if rows:
            with self._database.transaction() as connection:
                connection.execute(insert(decisions), [row.to_columns() for row in rows])

    def append_dropped(self, count: int, time: datetime | None = None) -> None:
        """Store that this number of rows was lost."""
        with self._database.transaction() as connection:
            connection.execute(insert(dropped).values(time=_text(time or datetime.now(UTC)), count=count))

    def read(self, first: date, last: date, *, limit: int = MAX_READ) -> Columns:
        """Return the columns of the rows of some days in UTC, oldest first.

        first, last: both included. limit: the newest rows are returned if there are more.
        """
        chosen = (
            select(decisions)
            .where(decisions.c.time >= str(first), decisions.c.time < str(last + timedelta(days=1)))
            .order_by(decisions.c.time.desc(), decisions.c.id.desc())
            .limit(limit)
        )
        with self._database.transaction() as connection:
            found = connection.execute(chosen).all()[::-1]
        names = decisions.columns.keys()
        return {name: [row[place] for row in found] for place, name in enumerate(names)}

    def count_dropped(self, day: date) -> int:
        """Return how many rows of a day were lost, as far as servers could say so afterwards."""
        chosen = select(func.sum(dropped.c["count"])).where(
            dropped.c.time >= str(day), dropped.c.time < str(day + timedelta(days=1))
        )
        with self._database.transaction() as connection:
            return int(connection.execute(chosen).scalar() or 0)

    def remove_before(self, day: date) -> int:
        """Remove rows and reports of the days before this one, and return the number of rows."""
        with self._database.transaction() as connection:
            removed = connection.execute(delete(decisions).where(decisions.c.time < str(day))).rowcount
            connection.execute(delete(dropped).where(dropped.c.time < str(day)))
            connection.execute(delete(days).where(days.c.day < str(day)))
        return int(removed)

    def put_report(self, day: date, report: dict[str, Any]) -> None:
        """Store the report of a day, instead of an earlier one of the same day."""
        with self._database.transaction() as connection:
            connection.execute(delete(days).where(days.c.day == str(day)))
            connection.execute(insert(days).values(day=str(day), report=json.dumps(report, allow_nan=False)))

    def reports(self, count: int) -> list[dict[str, Any]]:
        """Return the reports of the last days that were checked, newest first."""
        chosen = select(days.c.report).order_by(days.c.day.desc()).limit(count)
        with self._database.transaction() as connection:
            return [json.loads(text) for text in connection.execute(chosen).scalars()]

    def close(self) -> None:
        """Close all connections."""
        self._database.close()


def _text(time: datetime) -> str:
    return time.astimezone(UTC).isoformat(timespec="milliseconds")
