"""The watched model is the one that FaceModel loads."""

from pathlib import Path

from facenet.face_model import FaceModel
from tasks.monitoring.watched import WatchedModel


def test_digest_and_origin_are_those_of_the_face_model(model_folder: Path, face_model: FaceModel) -> None:
    found = WatchedModel.load(model_folder)
    assert (found.digest, found.origin) == (face_model.digest, face_model.origin)
    assert found.reference is None


def test_the_pretrained_model_has_a_reference() -> None:
    reference = WatchedModel.load("pretrained").reference
    assert reference is not None
    assert reference.photos == 13233
    assert reference.rows.shape == (2000, 8)
