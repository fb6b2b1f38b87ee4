"""A real model calibrated on real people, and used by the other commands with the result."""

import argparse
import json
import re
import shutil
from pathlib import Path
from typing import Any

import pytest

from commands.calibrate import Photo, measurement, usable
from commands.people_folders import people_of, read_people
from commands.site_plot import draw_site
from facenet import FaceModel
from facenet.errors import DataInvalid
from facenet.site_calibration.calibration import SITE_FILE, SiteCalibration
from tests.commands.running import facenet

Photos = list[tuple[str, bytes]]


@pytest.fixture
def folder(people: Path, orl_photos: Photos) -> Path:
    """Three photos each of ten people, one of nobody, and files that cannot be used."""
    counts: dict[str, int] = {}
    for identity, data in orl_photos:
        counts[identity] = counts.get(identity, 0) + 1
        if counts[identity] <= 3 and len(counts) <= 10:
            (people / "site" / identity).mkdir(parents=True, exist_ok=True)
            (people / "site" / identity / f"{counts[identity]}.pgm").write_bytes(data)
    shutil.copy("wall.ppm", "site/s1/wall.ppm")
    shutil.copy("text.jpg", "site/s2/text.jpg")
    shutil.copy("site/s3/1.pgm", "site/s3/again.pgm")
    (people / "site" / "s11").mkdir()
    shutil.copy("site/s4/3.pgm", "site/s11/of-s4.pgm")
    return people / "site"


def test_a_threshold_with_its_interval_and_every_rejected_photo(
    folder: Path, model: FaceModel, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert (
        facenet("calibrate", "site", "--far", "0.1", "--json", "--out", "site.json", "--plot", "a.png") == 0
    )
    answer: dict[str, Any] = json.loads(capsys.readouterr().out)
    rejected = {"duplicate": 1, "no_face": 1, "of_two_people": 2, "unsupported": 1}
    assert (answer["people"], answer["photos"], answer["rejected"]) == (10, 29, rejected)
    assert {entry["path"] for entry in answer["rejected_photos"]} == {
        *("site/s1/wall.ppm", "site/s11/of-s4.pgm", "site/s2/text.jpg", "site/s3/again.pgm", "site/s4/3.pgm"),
    }
    assert answer["far"] == 0.1
    low, high = answer["far_interval"]
    assert low <= answer["far_interval_long_run"][0] < 0.1 < answer["far_interval_long_run"][1] <= high < 1
    assert (answer["supported"], answer["missing_people"]) == (False, 30)
    assert answer["evaluation"] == {"threshold": None}
    assert answer["written"] == ["a.png", "site.json"]
    assert Path("a.png").read_bytes().startswith(b"\x89PNG")

    site = SiteCalibration.read(Path("site.json"))
    assert (site.name, site.model_digest, site.default.threshold) == (
        "site",
        model.digest,
        answer["threshold"],
    )
    assert not any(identity in Path("site.json").read_text() for identity in ("s11", "pgm"))

    monkeypatch.undo()  # the model is loaded, with the site calibration
    monkeypatch.chdir(folder.parent)
    words = ("verify", "people/ann/1.pgm", "people/ann/2.pgm", "--model", model.origin)
    assert facenet(*words, "--site", "site.json") == 0
    out, err = capsys.readouterr()
    assert "  by the site calibration site\n" in out
    assert "warning: measured on 10 people" in out
    assert err.endswith("site calibration: site (10 people, FAR 0.1)\n")
    Path("other.json").write_text(site.to_json().replace(model.digest, "0" * 64))
    assert facenet(*words, "--site", "other.json") == 2
    assert "belongs to the model 000000000000" in capsys.readouterr().err


def test_people_read_the_same(
    folder: Path, model: FaceModel, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    assert facenet("calibrate", "site") == 0
    out, err = capsys.readouterr()
    assert out.startswith("site: 10 people, 29 photos; not used: 2 of two people, 1 duplicate, 1 no face, ")
    assert "\nthreshold 0." in out
    assert "  95 % interval of the FAR of 10 other people like these: 0 to " in out
    assert "  needed: 68 more people, who bring 2,958 more pairs of people\n" in out
    assert "facenet identify keeps the evaluation's thresholds" in out
    assert "site/s1/wall.ppm: no_face\n" in err
    assert "s11: no usable photo\n" in err
    for name in ("one.svg", "two.svg"):
        faces = usable(
            [
                Photo(name, path, path, face)
                for name, photos in read_people(model, people_of(folder, option="DIR"), _Bar())
                for path, _, face in photos
            ]
        )
        arguments = argparse.Namespace(folder=folder, far=0.01, name="x")
        draw_site(tmp_path / name, measurement(model, faces, arguments))
    assert (tmp_path / "one.svg").read_bytes() == (tmp_path / "two.svg").read_bytes()


def test_a_photo_in_the_wrong_folder_is_named(
    folder: Path, model: FaceModel, capsys: pytest.CaptureFixture[str]
) -> None:
    shutil.move("site/s5/2.pgm", "site/s6/of-s5.pgm")
    assert facenet("calibrate", "site") == 0
    notes = [line for line in capsys.readouterr().err.splitlines() if line.startswith("note: ")]
    assert len(notes) == 1
    assert re.match(
        r"note: site/s5/\d.pgm and site/s6/of-s5.pgm look like one person \((0\.999\d|1\.0000)\)", notes[0]
    )
    assert facenet("calibrate", "site", "--json") == 0
    (pair,) = json.loads(capsys.readouterr().out)["look_alikes"]
    assert pair["right"] == "site/s6/of-s5.pgm"


def test_too_few_people_and_wrong_words_are_errors(
    folder: Path, model: FaceModel, capsys: pytest.CaptureFixture[str]
) -> None:
    assert facenet("calibrate", "people") == 2
    assert "DataInvalid: people: 4 people with a usable photo are too few" in capsys.readouterr().err
    assert facenet("calibrate", "people/ann") == 2
    assert "ParamsInvalid: DIR: people/ann has no folders." in capsys.readouterr().err
    assert facenet("calibrate", "site", "--plot", "a.txt") == 2
    assert "--plot: a.txt must end in .png or .svg" in capsys.readouterr().err
    assert facenet("calibrate", "site", "--store", "--model", "pretrained") == 2
    assert "--store: pretrained (dlib's ResNet, CC0) has no folder of its own" in capsys.readouterr().err
    with pytest.raises(DataInvalid, match=r"^x: 0 people"):
        measurement(model, usable([]), argparse.Namespace(folder=Path("x"), far=0.1, name="x"))


def test_a_model_uses_what_is_stored_with_it(
    folder: Path, model: FaceModel, calibrated: Path, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    shutil.copytree(calibrated, tmp_path / "model")
    assert facenet("calibrate", "site", "--store", "--model", "model", "--name", "door", "--json") == 0
    assert json.loads(capsys.readouterr().out)["written"] == [f"model/{SITE_FILE}"]
    assert SiteCalibration.read(tmp_path / "model" / SITE_FILE).name == "door"


class _Bar:
    def update(self, count: int) -> None:
        pass
