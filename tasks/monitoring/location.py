"""Where the decision log is: a file in the working folder, or what FACENET_MONITORING names."""

import os
from pathlib import Path

from sqlalchemy.engine import URL

from facenet.errors import ParamsInvalid
from tasks.database_urls import database_url

VARIABLE = "FACENET_MONITORING"
DAYS_VARIABLE = "FACENET_MONITORING_DAYS"
DEFAULT = Path("monitoring") / "decisions.db"
DAYS = 90
NOWHERE = "none"  # turns the log off
_EXPECTED = f"Set {VARIABLE} to a path, to postgresql://USER:PASSWORD@HOST/DATABASE, or to {NOWHERE}."


def is_off(place: str | Path | None = None) -> bool:
    """Return whether nothing is to be logged: the place, or FACENET_MONITORING without one, is "none"."""
    return str(place or os.environ.get(VARIABLE, "")) == NOWHERE


def locate(place: str | Path | None = None) -> URL:
    """Return the URL of a log: of a path or URL, else of FACENET_MONITORING, else monitoring/decisions.db.

    Raises:
        ParamsInvalid: it is a URL of neither SQLite nor PostgreSQL, or the log is turned off.
    """
    named = str(place or os.environ.get(VARIABLE) or DEFAULT)
    if named == NOWHERE:
        raise ParamsInvalid(f"The decision log is turned off by {VARIABLE}={NOWHERE}. {_EXPECTED}")
    return database_url(
        named, what="the decision log", variable=VARIABLE, expected=_EXPECTED, failure=ParamsInvalid
    )


def retention_days() -> int:
    """Return how long rows are stored: FACENET_MONITORING_DAYS, by default 90 days.

    Raises:
        ParamsInvalid: it is not a positive whole number.
    """
    named = os.environ.get(DAYS_VARIABLE, str(DAYS))
    if not named.isascii() or not named.isdigit() or int(named) < 1:
        raise ParamsInvalid(f"{DAYS_VARIABLE} is {named!r}: a whole number of days from 1 is required.")
    return int(named)
