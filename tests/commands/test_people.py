"""The list of a real gallery, without loading a model."""

import json
import re
from pathlib import Path

import pytest

from facenet import FaceModel
from tests.commands.enrolled import enrol
from tests.commands.running import facenet


@pytest.fixture
def _enrolled(people: Path, model: FaceModel, monkeypatch: pytest.MonkeyPatch) -> None:
    enrol(model, "Zoë Öz", "people/ann/1.pgm", "people/ann/2.pgm")
    enrol(model, "Bob", "people/bob/1.pgm")
    monkeypatch.delattr(FaceModel, "load")


@pytest.mark.usefixtures("_enrolled")
def test_people_are_listed_by_name(capsys: pytest.CaptureFixture[str]) -> None:
    assert facenet("people") == 0
    lines = capsys.readouterr().out.splitlines()
    assert [re.sub(r"\d{4}-\d\d-\d\d", "DATE", line) for line in lines] == [
        "Bob  1 photo, enrolled DATE",
        "Zoë Öz  2 photos, enrolled DATE",
    ]
    assert facenet("people", "--search", "ÖZ", "--json") == 0
    (person,) = json.loads(capsys.readouterr().out)
    assert (person["name"], person["photos"]) == ("Zoë Öz", 2)


@pytest.mark.usefixtures("_enrolled")
def test_the_photos_of_one_person(capsys: pytest.CaptureFixture[str]) -> None:
    assert facenet("people", "zoe oz") == 0
    head, *photos = capsys.readouterr().out.splitlines()
    assert head.startswith("Zoë Öz  2 photos")
    assert len(photos) == 2
    for photo in photos:
        assert re.fullmatch(r"  [0-9a-f]{12}  \S+ by tests  \d+ px, sharpness \d+", photo)
    assert facenet("people", "zoe oz", "--json") == 0
    assert len(json.loads(capsys.readouterr().out)["photo_list"]) == 2


@pytest.mark.usefixtures("_enrolled")
def test_nobody_found_is_exit_code_1(capsys: pytest.CaptureFixture[str]) -> None:
    assert facenet("people", "Cem") == 1
    assert "has no person 'Cem'" in capsys.readouterr().err
    assert facenet("people", "--search", "cem") == 1
    assert "Nobody of that name is enrolled" in capsys.readouterr().err


def test_without_a_gallery_the_command_to_enrol_is_named(
    people: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert facenet("people") == 2
    assert "There is no gallery at" in capsys.readouterr().err
    assert not Path("gallery").exists()
