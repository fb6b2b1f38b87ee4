"""Real faces against a real gallery: who is enrolled is named, who is not is unknown."""

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from commands.identify import METHODS
from facenet import FaceModel
from facenet.identification.scorers import SCORERS
from tests.commands.enrolled import enrol
from tests.commands.running import facenet


def test_enrolled_people_are_named_and_others_are_not(
    people: Path, model: FaceModel, capsys: pytest.CaptureFixture[str]
) -> None:
    enrol(model, "Ann", "people/ann/1.pgm", "people/ann/2.pgm")
    enrol(model, "Bob", "people/bob/1.pgm", "people/bob/2.pgm")
    words = ("people/ann/3.pgm", "people/bob/3.pgm", "people/cem/3.pgm", "text.jpg")
    assert facenet("identify", *words, "--json") == 1
    ann, bob, cem, text = json.loads(capsys.readouterr().out)
    assert [entry["faces"][0]["name"] for entry in (ann, bob, cem)] == ["Ann", "Bob", None]
    assert text["error"].startswith("unsupported: ")
    (face,) = ann["faces"]
    assert face["probability"] > 0.5
    assert (face["best"], face["photos"]) == ("Ann", 4)
    assert [candidate["name"] for candidate in face["candidates"]] == ["Ann", "Bob"]
    (expected,) = model.faces("people/ann/3.pgm")
    np.testing.assert_allclose(face["face"]["box"], expected.box, atol=0.01)
    assert facenet("identify", "people/ann/3.pgm") == 0


@pytest.mark.parametrize("method", METHODS)
def test_each_method_names_the_person(
    people: Path, model: FaceModel, capsys: pytest.CaptureFixture[str], method: str
) -> None:
    enrol(model, "Ann", "people/ann/1.pgm", "people/ann/2.pgm")
    if method == "linear_svm":
        assert facenet("identify", "people/ann/3.pgm", "--method", method) == 2
        assert "A linear SVM needs at least two enrolled people" in capsys.readouterr().err
    enrol(model, "Bob", "people/bob/1.pgm", "people/bob/2.pgm")
    capsys.readouterr()
    assert facenet("identify", "people/ann/3.pgm", "--method", method, "--json") == 0
    ((face,),) = (entry["faces"] for entry in json.loads(capsys.readouterr().out))
    assert (face["name"], face["photos"]) == ("Ann", 4)


def test_the_methods_are_those_of_the_scorers() -> None:
    assert tuple(SCORERS) == METHODS


def test_every_face_of_a_photo_is_a_line(
    people: Path, model: FaceModel, capsys: pytest.CaptureFixture[str]
) -> None:
    enrol(model, "Ann\u2003Zoë", "people/ann/1.pgm", "people/ann/2.pgm")
    faces = [np.asarray(Image.open(f"people/{name}/3.pgm").convert("RGB")) for name in ("ann", "bob")]
    Image.fromarray(np.concatenate(faces, axis=1)).save("group.png")
    assert facenet("identify", "group.png", "wall.ppm") == 1
    out = capsys.readouterr().out.splitlines()
    assert (out[0], out[-1]) == ("group.png: 2 faces", "wall.ppm: no face")
    named, unknown = sorted(out[1:3], key=lambda line: "unknown" in line)
    assert named.startswith("  Ann")
    assert "Zoë  probability 0." in named or "Zoë  probability 1." in named
    assert unknown.startswith("  unknown  probability 0.")
    assert ", the most similar  at " in unknown


def test_nobody_is_enrolled(people: Path, model: FaceModel, capsys: pytest.CaptureFixture[str]) -> None:
    assert facenet("identify", "people/ann/1.pgm") == 1
    out, err = capsys.readouterr()
    assert out.startswith("people/ann/1.pgm: 1 face\n  unknown  at ")
    assert "note: nobody is enrolled in" in err


def test_a_rate_that_was_not_measured_is_an_error(
    people: Path, model: FaceModel, capsys: pytest.CaptureFixture[str]
) -> None:
    enrol(model, "Ann", "people/ann/1.pgm")
    assert facenet("identify", "people/ann/1.pgm", "--fpir", "0.3") == 2
    assert "ParamsInvalid: --fpir: " in capsys.readouterr().err
