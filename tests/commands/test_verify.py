"""Two real photos: the same person, different people, and no answer."""

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from facenet import FaceModel
from tests.commands.running import facenet, facenet_process

ANN, ANN2, BOB = "people/ann/1.pgm", "people/ann/2.pgm", "people/bob/1.pgm"


def test_the_same_person(people: Path, model: FaceModel, capsys: pytest.CaptureFixture[str]) -> None:
    expected = model.verify(ANN, ANN2)
    assert facenet("verify", ANN, ANN2) == 0
    out, err = capsys.readouterr()
    assert out == (
        f"same person\n  probability of the same person {expected.probability:.4f}\n"
        f"  distance {expected.distance:.4f}, below the threshold 0.3000\n"
    )
    assert err == f"model: {model.origin}\n"


def test_different_people(people: Path, model: FaceModel, capsys: pytest.CaptureFixture[str]) -> None:
    assert facenet("verify", ANN, BOB, "--json") == 1
    answer = json.loads(capsys.readouterr().out)
    expected = model.verify(ANN, BOB)
    assert (answer["match"], answer["error"], answer["threshold"]) == (False, None, 0.3)
    assert answer["distance"] == pytest.approx(expected.distance)
    assert answer["probability"] == pytest.approx(expected.probability)
    assert (answer["left_path"], answer["right_path"]) == (ANN, BOB)
    assert (answer["model"], answer["digest"]) == (model.origin, model.digest)


def test_the_prior_changes_the_probability_and_the_rate_the_threshold(
    people: Path, model: FaceModel, capsys: pytest.CaptureFixture[str]
) -> None:
    assert facenet("verify", ANN, ANN2, "--json", "--far", "0.01", "--prior", "0.001") in (0, 1)
    answer = json.loads(capsys.readouterr().out)
    expected = model.verify(ANN, ANN2, far=0.01, prior=0.001)
    assert (answer["threshold"], answer["match"]) == (0.2, expected.match)
    assert answer["probability"] == pytest.approx(expected.probability)


@pytest.mark.parametrize(
    ("photo", "reason"),
    [("wall.ppm", "no_face"), ("text.jpg", "unsupported"), ("nowhere.jpg", "unreadable")],
)
def test_a_photo_without_a_face_is_no_answer(
    people: Path, model: FaceModel, capsys: pytest.CaptureFixture[str], photo: str, reason: str
) -> None:
    assert facenet("verify", ANN, photo) == 1
    out, err = capsys.readouterr()
    assert out == ""
    assert f"no answer: {reason}: " in err
    assert "(right photo)" in err
    assert facenet("verify", photo, ANN, "--json") == 1
    answer = json.loads(capsys.readouterr().out)
    assert (answer["match"], answer["distance"], answer["left"]) == (False, None, None)


def test_of_several_faces_it_says_which_was_compared(
    people: Path, model: FaceModel, capsys: pytest.CaptureFixture[str]
) -> None:
    group = np.concatenate([np.asarray(Image.open(name).convert("RGB")) for name in (ANN, BOB)], axis=1)
    Image.fromarray(group).save("group.png")
    assert facenet("verify", "group.png", ANN) in (0, 1)
    assert "note: group.png shows 2 faces; the one at " in capsys.readouterr().out


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--far", "0.5"], "ParamsInvalid: --far: no threshold was measured at FAR 0.5, only at [0.01]."),
        (["--far", "2"], "argument --far: '2' is not a number between 0 and 1"),
        (["--prior", "0"], "argument --prior: '0' is not a number between 0 and 1"),
    ],
)
def test_a_wrong_rate_is_an_error(
    people: Path, model: FaceModel, capsys: pytest.CaptureFixture[str], words: list[str], message: str
) -> None:
    assert facenet("verify", ANN, ANN2, *words) == 2
    assert message in capsys.readouterr().err


def test_a_photo_from_standard_input_in_a_process_of_its_own(people: Path, calibrated: Path) -> None:
    with (people / ANN).open("rb") as photo:
        done = facenet_process(people, "verify", "-", ANN2, "--model", str(calibrated), stdin=photo)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("same person\n")
    assert done.stderr == f"model: {calibrated}\n"


def test_a_model_without_calibration_says_so(
    people: Path, calibrated: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = people / "uncalibrated"
    folder.mkdir()
    for name in ("facenet.safetensors", "model.json", "mtcnn.safetensors"):
        (folder / name).symlink_to(calibrated / name)
    assert facenet("verify", ANN, BOB, "--model", folder) == 2
    assert "was not evaluated and cannot compare faces. Run `dvc repro evaluate`" in capsys.readouterr().err
