from collections.abc import Callable
from pathlib import Path

import pytest

from facenet.face_model import FaceModel
from facenet.results import Face
from service.gallery import Enrolment, Gallery
from service.recognition import recognise

Photo = Callable[..., bytes]


@pytest.fixture
def gallery(tmp_path: Path, face_model: FaceModel, photo: Photo) -> Gallery:
    """Five people with two photos each."""
    found = Gallery.open(
        tmp_path / "gallery.db", model_digest=face_model.digest, template_size=face_model.template_size
    )
    for person in range(5):
        photos = [photo(10 * person), photo(10 * person + 1)]
        faces = face_model.embed(photos)
        enrolments = [
            Enrolment.of(data, face.template)
            for data, face in zip(photos, faces, strict=True)
            if isinstance(face, Face) and face.template is not None
        ]
        found.enrol(f"s{person + 1}", enrolments, by="test")
    return found


def test_the_nearest_person_by_the_evaluated_distance(
    gallery: Gallery, face_model: FaceModel, photo: Photo
) -> None:
    assert face_model.matcher is not None
    (face,) = face_model.faces(photo(20))
    (found,) = recognise(gallery, face_model.matcher, [face])
    assert (found.best, found.photos) == ("s3", 10)
    assert found.distance == pytest.approx(0, abs=1e-5)
    assert len(found.candidates) == 5
    shot = gallery.snapshot()
    assert face.template is not None
    naive = [
        face_model.matcher.template_distances(face.template[None], row[None])[0, 0] for row in shot.templates
    ]
    expected = dict.fromkeys(shot.names, 9.0)
    for distance, owner in zip(naive, shot.owners, strict=True):
        expected[shot.names[owner]] = min(expected[shot.names[owner]], float(distance))
    for candidate in found.candidates:
        assert candidate.distance == pytest.approx(expected[candidate.name], abs=1e-5)
    assert [c.distance for c in found.candidates] == sorted(c.distance for c in found.candidates)


def test_no_face_and_an_empty_gallery(face_model: FaceModel, photo: Photo, tmp_path: Path) -> None:
    assert face_model.matcher is not None
    empty = Gallery.open(
        tmp_path / "e.db", model_digest=face_model.digest, template_size=face_model.template_size
    )
    assert recognise(empty, face_model.matcher, []) == []
    (found,) = recognise(empty, face_model.matcher, face_model.faces(photo(0)))
    assert (found.name, found.photos, found.supported) == (None, 0, False)


def test_a_rate_that_was_not_measured_is_refused(
    gallery: Gallery, face_model: FaceModel, photo: Photo
) -> None:
    assert face_model.matcher is not None
    with pytest.raises(ValueError, match="no rates of identification"):
        recognise(gallery, face_model.matcher, face_model.faces(photo(0)), fpir=0.01)
