"""Real photos into a real gallery: by name, by folder, with checks and without."""

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from commands import people_folders
from facenet import FaceModel
from tests.commands.running import facenet


def listed(capsys: pytest.CaptureFixture[str]) -> dict[str, int]:
    assert facenet("people", "--json") == 0
    return {person["name"]: person["photos"] for person in json.loads(capsys.readouterr().out)}


def test_photos_of_a_person_are_enrolled_once(
    people: Path, model: FaceModel, capsys: pytest.CaptureFixture[str]
) -> None:
    assert facenet("enrol", "Ann Öz", "people/ann/1.pgm", "people/ann/2.pgm") == 0
    assert capsys.readouterr() == ("Ann Öz: 2 photos enrolled\n", f"model: {model.origin}\n")
    assert facenet("enrol", "ann oz", "people/ann", "--by", "tests", "--json") == 0
    (entry,) = json.loads(capsys.readouterr().out)
    assert entry == {"name": "ann oz", "added": 1, "already": 2, "findings": [], "error": None}
    assert listed(capsys) == {"Ann Öz": 3}
    assert facenet("identify", "people/ann/1.pgm", "people/bob/1.pgm") == 1
    assert "  Ann Öz  probability" in capsys.readouterr().out


@pytest.mark.parametrize("group", [5, 32])
def test_a_folder_per_person(
    people: Path,
    model: FaceModel,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    group: int,
) -> None:
    monkeypatch.setattr(people_folders, "GROUP", group)
    (people / "people" / "empty").mkdir()
    (people / "people" / ".hidden").mkdir()
    assert facenet("enrol", "--from", "people") == 1
    assert capsys.readouterr().out.splitlines()[:5] == [
        "ann: 3 photos enrolled",
        "bob: 3 photos enrolled",
        "cem: 3 photos enrolled",
        "dana: 3 photos enrolled",
        "empty: nothing was enrolled",
    ]
    assert listed(capsys) == {"ann": 3, "bob": 3, "cem": 3, "dana": 3}


def test_what_cannot_be_enrolled_is_reported_and_the_rest_is_enrolled(
    people: Path, model: FaceModel, capsys: pytest.CaptureFixture[str]
) -> None:
    assert facenet("enrol", "Ann", "people/ann/1.pgm", "wall.ppm", "text.jpg", "nowhere.jpg") == 1
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "Ann: 1 photo enrolled"
    assert [line.split(": ")[:2] for line in lines[1:]] == [
        ["  not enrolled", "wall.ppm"],
        ["  not enrolled", "text.jpg"],
        ["  not enrolled", "nowhere.jpg"],
    ]
    assert facenet("enrol", "Bob", "text.jpg", "--json") == 1
    (entry,) = json.loads(capsys.readouterr().out)
    assert (entry["added"], entry["error"], len(entry["findings"])) == (0, "nothing was enrolled", 1)
    assert facenet("enrol", "\x1b[2J", "people/bob/1.pgm") == 1
    assert "cannot be shown" in capsys.readouterr().out


def test_checks_warn_refuse_or_are_off(
    people: Path, model: FaceModel, capsys: pytest.CaptureFixture[str]
) -> None:
    dark = np.asarray(Image.open("people/cem/1.pgm").convert("RGB")) // 6
    Image.fromarray(dark).save("dark.png")
    assert facenet("enrol", "Cem", "dark.png", "--checks", "strict") == 1
    assert capsys.readouterr().out.startswith("Cem: nothing was enrolled\n  not enrolled: dark.png: ")
    assert facenet("enrol", "Cem", "dark.png") == 0
    assert "\n  warning: dark.png: its mean grey value is " in capsys.readouterr().out
    assert facenet("enrol", "Ann", "people/ann/1.pgm", "dark.png", "--checks", "off") == 0
    assert capsys.readouterr().out == "Ann: 2 photos enrolled\n"


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["Ann"], "Name a person and photos"),
        (["Ann", "a.jpg", "--from", "people"], "was given with --from"),
        (["--from", "people/ann"], "people/ann has no folders"),
        (["--from", "nowhere"], "nowhere cannot be listed: No such file"),
    ],
)
def test_a_wrong_request_is_refused_before_the_model_is_loaded(
    people: Path, capsys: pytest.CaptureFixture[str], words: list[str], message: str
) -> None:
    assert facenet("enrol", *words, "--model", "nowhere") == 2
    assert message in capsys.readouterr().err
