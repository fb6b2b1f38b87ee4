"""Rows of what a model answers."""

import dataclasses
import shutil
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

import numpy as np
import pytest

from facenet.face_model import FaceModel
from facenet.identification.identifier import Identification
from facenet.model import MONITORING
from facenet.monitoring.reference import MEASURES, measured_reference
from facenet.results import Face, PhotoError
from tasks.monitoring.rows import (
    Measures,
    face_row,
    failure_row,
    identification_row,
    main_face,
    measures_of,
    verification_row,
)

Photo = Callable[..., bytes]


@pytest.fixture(scope="module")
def model(model_folder: Path, face_model: FaceModel, tmp_path_factory: pytest.TempPathFactory) -> FaceModel:
    """The small model with a reference."""
    folder = tmp_path_factory.mktemp("referenced")
    shutil.copytree(model_folder, folder, dirs_exist_ok=True)
    embeddings = np.random.default_rng(0).normal(0, 1, (4, 128))
    measured_reference(face_model.card.weights_sha256, embeddings, np.zeros((4, 7)), no_face=0, seed=0).write(
        folder / MONITORING
    )
    return FaceModel.load(folder, device="cpu")


def test_a_verification(model: FaceModel, photo: Photo) -> None:
    answer = model.verify(photo(0), photo(10))
    row = verification_row(
        model, answer, site="door", latency=12.5, time=datetime.fromisoformat("2026-12-01T01:00:00+02:00")
    )
    assert row.time == "2026-11-30T23:00:00.000+00:00"
    assert (row.model, row.version, row.site, row.kind) == (model.digest, model.origin, "door", "verify")
    assert row.decision == ("match" if answer.match else "no match")
    assert (row.score, row.probability, row.threshold) == (answer.distance, answer.probability, 0.5)
    assert row.face == measures_of(model, answer.left)
    assert row.other == measures_of(model, answer.right)
    assert row.face != row.other
    assert None not in vars(row.face).values()


def test_the_measures_are_those_of_face_quality_pose_and_reference(model: FaceModel, photo: Photo) -> None:
    (face,) = model.faces(photo(0))
    found = measures_of(model, face)
    assert face.quality is not None
    assert model.reference is not None
    assert (found.side, found.sharpness, found.brightness) == tuple(vars(face.quality).values())
    assert found.centroid_distance == model.reference.distance(face.embedding)
    assert found.detector_probability == face.probability
    assert tuple(vars(found)) == MEASURES
    bare = dataclasses.replace(face, landmarks=None, quality=None, embedding=None)
    assert measures_of(model, bare) == Measures(detector_probability=face.probability)


def test_a_model_without_a_reference(face_model: FaceModel, photo: Photo) -> None:
    (face,) = face_model.faces(photo(0))
    assert measures_of(face_model, face).centroid_distance is None


def test_photos_that_cannot_be_decided_on(model: FaceModel, photo: Photo) -> None:
    blank = np.zeros((80, 80, 3), np.uint8)
    assert verification_row(model, model.verify(photo(0), blank)).decision == "no face"
    assert verification_row(model, model.verify(b"no photo", photo(0))).decision == "rejected"
    assert failure_row(model, PhotoError("no_face", ""), kind="identify").decision == "no face"
    assert failure_row(model, PhotoError("corrupt", ""), kind="embed").decision == "rejected"
    (fallback,) = model.embed([blank], fallback=True)
    assert isinstance(fallback, Face)
    assert face_row(model, fallback, kind="score").decision == "no face"


def test_an_identification_has_no_name(model: FaceModel, photo: Photo) -> None:
    (face,) = model.faces(photo(0))
    unknown = Identification(
        name=None,
        best="Ann",
        distance=0.7,
        probability=0.1,
        threshold=None,
        fpir=None,
        photos=9,
        supported=True,
        reason=None,
        candidates=(),
    )
    row = identification_row(model, face, unknown)
    assert (row.decision, row.score, row.threshold, row.site) == ("no match", 0.7, None, "default")
    named = identification_row(model, face, dataclasses.replace(unknown, name="Ann"), main=False)
    assert (named.decision, named.main) == ("match", False)
    assert "Ann" not in str(named.to_columns())


def test_the_largest_face_is_the_main_one(model: FaceModel, photo: Photo) -> None:
    faces = [Face(box=(0, 0, side, side), landmarks=None, probability=1) for side in (5, 9, 7)]
    assert main_face(faces) == 1
