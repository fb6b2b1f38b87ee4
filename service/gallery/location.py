"""Where the gallery is: a file in the working folder, or what FACENET_GALLERY names."""

import os
from pathlib import Path

from sqlalchemy.engine import URL

from service.gallery.errors import StoreFailed
from tasks.database_urls import database_url

VARIABLE = "FACENET_GALLERY"
DEFAULT = Path("gallery") / "gallery.db"
_EXPECTED = f"Set {VARIABLE} to a path, or to postgresql://USER:PASSWORD@HOST/DATABASE."


def locate(place: str | Path | None = None) -> URL:
    """Return the URL of a gallery: of a path, of a URL, by default of FACENET_GALLERY or gallery/gallery.db.

    Raises:
        StoreFailed: it is a URL of neither SQLite nor PostgreSQL.
    """
    named = str(place or os.environ.get(VARIABLE) or DEFAULT)
    return database_url(named, what="the gallery", variable=VARIABLE, expected=_EXPECTED, failure=StoreFailed)
