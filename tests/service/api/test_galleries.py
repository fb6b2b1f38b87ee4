import dataclasses
from pathlib import Path

import pytest

from facenet.face_model import FaceModel
from facenet.matching import Matcher
from facenet.model_folder import load_parts
from service.api.galleries import Galleries, gallery_problem
from service.api.problems import Problem
from service.gallery.errors import ErasureIncomplete, ModelDiffers, NameTaken, StoreFailed


@pytest.fixture
def place(tmp_path: Path) -> Path:
    return tmp_path / "gallery.db"


def changed(folder: Path, matcher: Matcher | None) -> FaceModel:
    return FaceModel(
        dataclasses.replace(load_parts(folder, device="cpu", batch_size=1), matcher=matcher), origin="other"
    )


def test_the_gallery_is_opened_once_for_a_model(place: Path, face_model: FaceModel) -> None:
    galleries = Galleries(place)
    assert galleries.gallery(face_model) is galleries.gallery(face_model)
    galleries.close()


def test_another_model_is_refused_until_the_gallery_is_migrated(
    place: Path, face_model: FaceModel, model_folder: Path
) -> None:
    galleries = Galleries(place)
    galleries.gallery(face_model)
    assert face_model.matcher is not None
    other = changed(model_folder, dataclasses.replace(face_model.matcher, metric="arccos"))
    with pytest.raises(ModelDiffers) as refused:
        galleries.gallery(other)
    problem = gallery_problem(refused.value)
    assert (problem.status, problem.reason) == (409, "other_model")
    assert "facenet gallery migrate" in problem.message
    assert galleries.gallery(face_model).info().people == 0


def test_a_model_that_was_not_evaluated_has_no_gallery(place: Path, model_folder: Path) -> None:
    with pytest.raises(Problem, match="not evaluated") as refused:
        Galleries(place).gallery(changed(model_folder, None))
    assert refused.value.status == 409


def test_messages_do_not_name_files_of_the_server() -> None:
    failed = gallery_problem(StoreFailed("The gallery /srv/secret/gallery.db: the disk is full."))
    assert (failed.status, "/srv" in failed.message) == (503, False)
    assert gallery_problem(NameTaken("'Ada' is the name of another person")).status == 409
    assert gallery_problem(ErasureIncomplete("")).status == 503
