"""URLs of the databases that people name by a path or a URL: the gallery and the decision log."""

from pathlib import Path

from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError

from facenet.errors import FaceNetError

_DRIVERS = {"sqlite": "sqlite", "postgresql": "postgresql+psycopg2", "postgres": "postgresql+psycopg2"}


def database_url(named: str, *, what: str, variable: str, expected: str, failure: type[FaceNetError]) -> URL:
    """Return the URL of a database that is named by a path, or by a URL of SQLite or PostgreSQL.

    Args:
        named: the path or URL.
        what: the database, as in "the gallery", for messages.
        variable: of the environment, that can name it.
        expected: what to set, in a sentence.
        failure: raised if it is a URL of another database, or not valid.
    """
    if "://" not in named:
        return URL.create("sqlite", database=str(Path(named).expanduser().absolute()))
    try:
        url = make_url(named)
    except (ArgumentError, ValueError) as error:
        raise failure(f"The URL of {what} in {variable} is not valid. {expected}") from error
    backend = url.drivername.partition("+")[0]
    if backend not in _DRIVERS or not url.database or url.database == ":memory:":
        raise failure(f"{printable(url)} is not the URL of {what}. {expected}")
    return url.set(drivername=_DRIVERS[backend])


def printable(url: URL) -> str:
    """Return the path of an SQLite database, or a URL without its password."""
    if url.drivername == "sqlite" and url.database:
        return url.database
    return url.set(drivername=url.get_backend_name()).render_as_string(hide_password=True)
