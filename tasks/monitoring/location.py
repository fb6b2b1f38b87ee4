"""Where the decision log is: a file in the working folder, or what FACENET_MONITORING names."""

import os
from pathlib import Path

from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError

from facenet.errors import ParamsInvalid

VARIABLE = "FACENET_MONITORING"
DAYS_VARIABLE = "FACENET_MONITORING_DAYS"
DEFAULT = Path("monitoring") / "decisions.db"
DAYS = 90
NOWHERE = "none"  # turns the log off
_DRIVERS = {"sqlite": "sqlite", "postgresql": "postgresql+psycopg2", "postgres": "postgresql+psycopg2"}
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
    if "://" not in named:
        return URL.create("sqlite", database=str(Path(named).expanduser().absolute()))
    try:
        url = make_url(named)
    except (ArgumentError, ValueError) as error:
        raise ParamsInvalid(f"The URL of the decision log in {VARIABLE} is not valid. {_EXPECTED}") from error
    backend = url.drivername.partition("+")[0]
    if backend not in _DRIVERS or not url.database or url.database == ":memory:":
        raise ParamsInvalid(f"{printable(url)} is not the URL of a decision log. {_EXPECTED}")
    return url.set(drivername=_DRIVERS[backend])


def printable(url: URL) -> str:
    """Return the path of an SQLite database, or a URL without its password."""
    if url.drivername == "sqlite" and url.database:
        return url.database
    return url.set(drivername=url.get_backend_name()).render_as_string(hide_password=True)


def retention_days() -> int:
    """Return how long rows are stored: FACENET_MONITORING_DAYS, by default 90 days.

    Raises:
        ParamsInvalid: it is not a positive whole number.
    """
    named = os.environ.get(DAYS_VARIABLE, str(DAYS))
    if not named.isascii() or not named.isdigit() or int(named) < 1:
        raise ParamsInvalid(f"{DAYS_VARIABLE} is {named!r}: a whole number of days from 1 is required.")
    return int(named)
