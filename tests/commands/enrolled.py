"""Enrol photos in the gallery of the working folder."""

from pathlib import Path

from facenet import Face, FaceModel
from service.gallery import Enrolment, Gallery


def enrol(model: FaceModel, name: str, *photos: str, gallery: str | None = None) -> None:
    """Enrol photos without any check."""
    enrolments = []
    for path, face in zip(photos, model.embed(photos), strict=True):
        assert isinstance(face, Face)
        assert face.template is not None
        enrolments.append(Enrolment.of(Path(path).read_bytes(), face.template, face.quality))
    with Gallery.open(gallery, model_digest=model.digest, template_size=model.template_size) as opened:
        opened.enrol(name, enrolments, by="tests")
