"""The option that chooses a gallery, and the gallery that it chooses."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Any

from commands.models import evaluated

if TYPE_CHECKING:
    from facenet import FaceModel
    from service.gallery import Gallery, Person

PLACE = "path or URL of the gallery (default: FACENET_GALLERY, else gallery/gallery.db)"


def add_gallery(parser: argparse.ArgumentParser) -> None:
    """Add --gallery."""
    parser.add_argument("--gallery", metavar="GALLERY", help=PLACE)


def gallery_of(arguments: argparse.Namespace, model: FaceModel) -> Gallery:
    """Open the gallery for the templates of a model; it is created if there is none.

    Raises:
        WeightsInvalid: the model was not evaluated.
        ModelDiffers: the gallery has templates of another model.
        StoreFailed: the database cannot be read or written.
    """
    from service.gallery import Gallery  # imported late: `--help` does not need it

    evaluated(model)
    return Gallery.open(arguments.gallery, model_digest=model.digest, template_size=model.template_size)


def existing_gallery(arguments: argparse.Namespace) -> Gallery:
    """Open a gallery that exists, without loading its model.

    Raises:
        GalleryMissing: there is none.
        StoreFailed: the database cannot be read or written.
    """
    from service.gallery.binding import open_existing

    return open_existing(arguments.gallery)


def person_entry(person: Person) -> dict[str, Any]:
    """Return a person for JSON."""
    return {"name": person.name, "photos": person.photos, "first": person.first, "last": person.last}
