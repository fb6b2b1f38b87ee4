"""The answers of a served model, without networks."""

import json
from typing import Any

import numpy as np
import pytest

from facenet.answers import KEYS, Answer, entry
from facenet.detection import AlignedFace
from facenet.errors import ImageRejected
from tests.facenet.test_matching import matcher

REJECTED = ImageRejected("corrupt", "the file ends early")


def face(**fields: Any) -> AlignedFace:
    given: dict[str, Any] = {
        "image": np.zeros((4, 4, 3), np.uint8),
        "box": np.array([1.0, 2, 3, 4], np.float32),
        "landmarks": np.ones((5, 2), np.float32),
        "probability": 0.75,
        "faces_found": 2,
        "fallback": False,
    }
    return AlignedFace(**{**given, **fields})


def no_face() -> AlignedFace:
    return face(landmarks=np.full((5, 2), np.nan, np.float32), probability=0.0, faces_found=0, fallback=True)


def test_entries_have_the_same_keys_and_are_json() -> None:
    entries = [entry(each, np.ones(3, np.float32)) for each in (face(), no_face(), REJECTED)]
    assert all(list(each) == [*KEYS, "error"] for each in entries)
    assert entries[0]["faces_found"] == 2
    assert entries[1]["landmarks"] is None
    assert entries[2]["error"] == "corrupt: the file ends early"
    json.dumps(entries, allow_nan=False)


@pytest.mark.parametrize(("distance", "match"), [(0.49, True), (0.51, False)])
def test_the_threshold_decides(distance: float, match: bool) -> None:
    found = Answer(matcher(), far=0.1, prior=0.5).of([face(), face()], np.array([distance + 0.3]))
    assert (found["match"], found["threshold"], found["error"]) == (match, 0.8, None)
    assert found["probability"] == pytest.approx(1 / (1 + np.exp(9.5 * (distance + 0.3) - 6)))
    assert (found["supported"], found["reason"]) == (True, None)


def test_an_unsupported_threshold_says_so() -> None:
    found = Answer(matcher(), far=0.001, prior=0.5).of([face(), face()], np.array([0.1]))
    assert (found["match"], found["supported"]) == (True, False)
    assert "600 pairs of people" in found["reason"]
    few = Answer(matcher(people=10, people_pairs=45, thresholds=()), far=None, prior=0.5)
    answer = few.of([face(), face()], np.array([0.1]))
    assert (answer["match"], answer["supported"]) == (True, False)
    assert answer["reason"] == "measured on 10 people; at least 40 are needed"
    with pytest.raises(ValueError, match="measured on 10 people"):
        Answer(matcher(people=10, people_pairs=45, thresholds=()), far=0.1, prior=0.5)


@pytest.mark.parametrize(
    ("faces", "error"),
    [
        ([face(), no_face()], "no_face: no face was found in the right photo"),
        ([no_face(), no_face()], "no_face: no face was found in the left photo"),
        ([REJECTED, face()], "corrupt: the file ends early (left photo)"),
    ],
)
def test_without_two_faces_there_is_no_match(faces: list[Any], error: str) -> None:
    answer = Answer(matcher(), far=None, prior=0.5)
    assert answer.error(faces) == error
    found = answer.without_match(faces, error)
    assert (found["match"], found["distance"], found["probability"]) == (False, None, None)
    assert (found["error"], found["threshold"]) == (error, 0.62)
    for side, each in zip(("left", "right"), faces, strict=True):
        assert set(found[side]) == {"box", "probability", "faces_found", "fallback", "error"}
        assert found[side]["fallback"] == (None if each is REJECTED else each.fallback)
    assert answer.error([face(), face()]) is None
