"""The gallery: it can be opened, and its templates are those of the model that commands take by default."""

from collections.abc import Iterator
from pathlib import Path

from commands.checks.finding import Finding, ok, wrong
from facenet.errors import FaceNetError


def check_gallery() -> Iterator[Finding]:
    """Compare the model of the gallery, if there is one, with the default model."""
    from facenet.matching import read_matcher
    from facenet.model import CALIBRATION, CARD, ModelCard
    from facenet.model_folder import model_digest
    from facenet.model_source import model_folder
    from service.gallery.binding import bound_model
    from service.gallery.errors import GalleryMissing

    try:
        bound, _ = bound_model()
    except GalleryMissing:
        return
    except FaceNetError as error:
        yield wrong("gallery", str(error), "do what it says, or set FACENET_GALLERY to another gallery")
        return
    with model_folder(None) as (folder, origin):
        card = ModelCard.read(folder / CARD)
        digest = model_digest(card, read_matcher(folder / Path(CALIBRATION), card.weights_sha256))
    if digest == bound:
        yield ok("gallery", f"its templates are those of {origin}")
    else:
        message = f"its templates are of the model {bound[:12]}, and commands take {origin}, {digest[:12]}"
        yield wrong("gallery", message, "facenet gallery migrate, or name its model: --model MODEL")
