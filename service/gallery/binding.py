"""Open a gallery that exists without its model: listing and removing people need no templates of a model."""

from pathlib import Path

from service.gallery.database import Database
from service.gallery.errors import GalleryMissing
from service.gallery.gallery import Gallery
from service.gallery.location import locate
from service.gallery.reading import read_info
from service.gallery.tables import bring_up_to_date
from tasks.database_urls import printable


def bound_model(place: str | Path | None = None) -> tuple[str, int]:
    """Return the digest and the template size of the model that a gallery is bound to.

    place: a path or URL; by default that of FACENET_GALLERY, or gallery/gallery.db.

    Raises:
        GalleryMissing: nobody was ever enrolled there.
        StoreTooNew: a later version of this program has changed its tables.
        StoreFailed: the database cannot be read.
    """
    url = locate(place)
    row = None
    if url.drivername != "sqlite" or Path(str(url.database)).exists():
        database = Database(url)
        try:
            bring_up_to_date(database)
            with database.reading() as connection:
                row = read_info(connection)
        finally:
            database.close()
    if row is None:
        raise GalleryMissing(
            f"There is no gallery at {printable(url)}. Enrol somebody: `facenet enrol NAME PHOTO`, or name "
            "another gallery by --gallery or FACENET_GALLERY."
        )
    return row.model_digest, row.template_size


def open_existing(place: str | Path | None = None) -> Gallery:
    """Open a gallery that exists, whatever its model; errors as for `bound_model` and `Gallery.open`."""
    digest, size = bound_model(place)
    return Gallery.open(place, model_digest=digest, template_size=size)
