"""A gallery with templates of another model than the default one is found."""

from pathlib import Path

import pytest

from commands.checks.gallery import check_gallery
from facenet import FaceModel
from tests.commands.enrolled import enrol


def test_the_gallery_of_another_model_is_named_with_its_fix(
    people: Path, calibrated: Path, model: FaceModel
) -> None:
    assert list(check_gallery()) == []
    (people / "models").symlink_to(calibrated)  # a workspace's model is the default one
    enrol(model, "Ann", "people/ann/1.pgm")
    (finding,) = check_gallery()
    assert (finding.state, finding.message) == (
        "ok",
        "its templates are those of models/ (of this workspace)",
    )
    (people / "models").unlink()
    (finding,) = check_gallery()
    assert finding.state == "wrong"
    assert model.digest[:12] in finding.message
    assert finding.fix == "facenet gallery migrate, or name its model: --model MODEL"


def test_a_file_that_is_no_gallery_is_named(people: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FACENET_GALLERY", str(people / "text.jpg"))
    (finding,) = check_gallery()
    assert finding.state == "wrong"
    assert "text.jpg" in finding.message
