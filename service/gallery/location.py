"""Where the gallery is: a file in the working folder, or what FACENET_GALLERY names."""

import os
from pathlib import Path

from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError

from service.gallery.errors import StoreFailed

VARIABLE = "FACENET_GALLERY"
DEFAULT = Path("gallery") / "gallery.db"
_DRIVERS = {"sqlite": "sqlite", "postgresql": "postgresql+psycopg2", "postgres": "postgresql+psycopg2"}


def locate(place: str | Path | None = None) -> URL:
    """Return the URL of a gallery: of a path, of a URL, by default of FACENET_GALLERY or gallery/gallery.db.

    Raises:
        StoreFailed: it is a URL of neither SQLite nor PostgreSQL.
    """
    named = str(place or os.environ.get(VARIABLE) or DEFAULT)
    if "://" not in named:
        return URL.create("sqlite", database=str(Path(named).expanduser().absolute()))
    try:
        url = make_url(named)
    except (ArgumentError, ValueError) as error:
        raise StoreFailed(f"The URL of the gallery in {VARIABLE} is not valid. {_EXPECTED}") from error
    backend = url.drivername.partition("+")[0]
    if backend not in _DRIVERS or not url.database or url.database == ":memory:":
        raise StoreFailed(f"{printable(url)} is not the URL of a gallery. {_EXPECTED}")
    return url.set(drivername=_DRIVERS[backend])


def printable(url: URL) -> str:
    """Return the path of an SQLite database, or a URL without its password."""
    if url.drivername == "sqlite" and url.database:
        return url.database
    return url.set(drivername=url.get_backend_name()).render_as_string(hide_password=True)


_EXPECTED = f"Set {VARIABLE} to a path, or to postgresql://USER:PASSWORD@HOST/DATABASE."
