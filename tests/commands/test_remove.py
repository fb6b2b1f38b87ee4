"""After `facenet remove` neither name nor template is found in any file of the gallery."""

import json
from pathlib import Path

import pytest

from facenet import Face, FaceModel
from tests.commands.enrolled import enrol
from tests.commands.running import facenet


def test_a_person_is_removed_without_a_byte_left(
    people: Path, model: FaceModel, capsys: pytest.CaptureFixture[str]
) -> None:
    enrol(model, "Quentin Xanadu", "people/ann/1.pgm", "people/ann/2.pgm")
    enrol(model, "Bob", "people/bob/1.pgm")
    (face,) = model.embed(["people/ann/1.pgm"])
    assert isinstance(face, Face)
    assert face.template is not None
    assert facenet("remove", "quentin xanadu", "--json") == 0
    answer = json.loads(capsys.readouterr().out)
    assert (answer["person"], answer["photos"], answer["gone"]) == ("Quentin Xanadu", 2, True)
    stored = b"".join(path.read_bytes() for path in Path("gallery").rglob("*") if path.is_file())
    assert b"Xanadu" not in stored
    assert face.template.tobytes()[:32] not in stored
    assert facenet("remove", "quentin xanadu") == 1
    assert "has no person 'quentin xanadu'" in capsys.readouterr().err
    assert facenet("people") == 0
    assert capsys.readouterr().out.startswith("Bob  1 photo")


def test_one_photo_is_removed_by_the_beginning_of_its_digest(
    people: Path, model: FaceModel, capsys: pytest.CaptureFixture[str]
) -> None:
    enrol(model, "Ann", "people/ann/1.pgm", "people/ann/2.pgm")
    assert facenet("people", "Ann", "--json") == 0
    first = json.loads(capsys.readouterr().out)["photo_list"][0]["sha256"]
    assert facenet("remove", "Ann", "--photo", "zz") == 1
    assert facenet("remove", "Ann", "--photo", first[:12]) == 0
    assert capsys.readouterr().out == "1 photo of Ann removed\n"
    assert facenet("remove", "Ann") == 0
    assert capsys.readouterr().out == "Ann is removed, with 1 photo\n"
