"""The gallery changes its model with the photos it has stored, and says what it would lose."""

import json
from pathlib import Path

import pytest

from facenet import FaceModel
from tests.commands.enrolled import enrol
from tests.commands.running import facenet


def test_the_state_of_the_gallery(people: Path, model: FaceModel, capsys: pytest.CaptureFixture[str]) -> None:
    enrol(model, "Ann", "people/ann/1.pgm", "people/ann/2.pgm")
    assert facenet("gallery", "info", "--json") == 0
    info = json.loads(capsys.readouterr().out)
    assert (info["people"], info["photos"], info["stored"]) == (1, 2, 0)
    assert info["model_digest"] == model.digest
    assert facenet("gallery", "info") == 0
    assert f"  model    {model.digest[:12]}, templates of 128 numbers\n" in capsys.readouterr().out


def test_another_model_takes_over_the_photos_that_are_stored(
    people: Path, model: FaceModel, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    enrol(model, "Ann", "people/ann/1.pgm")
    assert facenet("enrol", "Bob", "people/bob/1.pgm", "--keep") == 0
    monkeypatch.setattr(model, "digest", "1" * 64)
    assert facenet("identify", "people/bob/2.pgm") == 2
    assert "facenet gallery migrate" in capsys.readouterr().err
    assert facenet("gallery", "migrate") == 2
    assert "1 of 2 photos cannot be embedded again" in capsys.readouterr().err
    assert facenet("gallery", "migrate", "--drop") == 0
    assert capsys.readouterr().out == "1 photos embedded again, 1 removed; 1 people are enrolled\n"
    assert facenet("identify", "people/bob/2.pgm") == 0
    capsys.readouterr()
    assert facenet("gallery", "migrate", "--json") == 0
    assert json.loads(capsys.readouterr().out) == {
        "photos": 0, "dropped": 0, "people": 1, "digest": "1" * 64,
    }  # fmt: skip


def test_a_gallery_that_does_not_exist_is_not_created(
    people: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for action in ("info", "migrate"):
        assert facenet("gallery", action, "--gallery", "none.db") == 2
        assert "There is no gallery at" in capsys.readouterr().err
    assert not Path("none.db").exists()
