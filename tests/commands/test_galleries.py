"""A gallery is opened for its model, or whatever its model for listing."""

import argparse
from pathlib import Path

import pytest

from commands.galleries import add_gallery, existing_gallery, gallery_of, person_entry
from facenet import FaceModel
from service.gallery import Person
from service.gallery.errors import ModelDiffers
from tests.commands.enrolled import enrol


def parsed(*words: str) -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    add_gallery(parser)
    return parser.parse_args(words)


def test_the_option_chooses_the_gallery(people: Path, model: FaceModel) -> None:
    enrol(model, "Ann", "people/ann/1.pgm", gallery="here.db")
    with gallery_of(parsed("--gallery", "here.db"), model) as gallery:
        assert gallery.info().people == 1
    with existing_gallery(parsed("--gallery", "here.db")) as gallery:
        assert gallery.info().model_digest == model.digest


def test_another_model_is_refused(people: Path, model: FaceModel, monkeypatch: pytest.MonkeyPatch) -> None:
    enrol(model, "Ann", "people/ann/1.pgm")
    monkeypatch.setattr(model, "digest", "0" * 64)
    with pytest.raises(ModelDiffers, match="facenet gallery migrate"):
        gallery_of(parsed(), model)


def test_a_person_for_json() -> None:
    person = Person(7, "Ann", 2, "2026-01-01", "2026-01-02")
    assert person_entry(person) == {"name": "Ann", "photos": 2, "first": "2026-01-01", "last": "2026-01-02"}
