"""Results are frozen, print on one line and become JSON."""

import json
from dataclasses import FrozenInstanceError, replace

import numpy as np
import pytest

from facenet.results import Face, PhotoError, Quality, Verification

FACE = Face(
    box=(1.0, 2.0, 31.0, 42.0),
    landmarks=((1.0, 2.0),) * 5,
    probability=0.999,
    template=np.ones(3, np.float32),
    quality=Quality(30, 123.4, 99.5),
    faces_found=2,
    embedding=np.ones(3, np.float32),
)
VERIFICATION = Verification(
    match=True,
    distance=0.25,
    threshold=0.5,
    probability=0.98765,
    supported=True,
    reason=None,
    left=FACE,
    right=FACE,
)


def test_they_print_on_one_line() -> None:
    printed = str(FACE)
    assert printed == ("face, probability 0.999, at 1 2 31 42, 1 of 2 (30 px, sharpness 123, brightness 100)")
    assert str(replace(FACE, fallback=True, quality=None, faces_found=0)) == "no face, centre at 1 2 31 42"
    assert str(PhotoError("empty", "The file has no bytes.")) == "empty: The file has no bytes."
    assert str(VERIFICATION) == (
        "same person, probability of a match 0.988 (distance 0.2500 < threshold 0.5000)"
    )
    few = replace(VERIFICATION, match=False, distance=0.5, supported=False, reason="measured on 10 people")
    assert str(few) == (
        "different people, probability of a match 0.988 (distance 0.5000 >= threshold 0.5000); not "
        "supported: measured on 10 people"
    )
    none = replace(few, distance=None, probability=None, right=None, error="no_face: none (right photo)")
    assert str(none) == "no answer: no_face: none (right photo)"
    assert "template" not in repr(VERIFICATION)


def test_they_become_json() -> None:
    found = VERIFICATION.to_dict()
    assert json.loads(json.dumps(found, allow_nan=False)) == found
    assert list(found["left"]) == [
        *("box", "landmarks", "probability", "quality", "fallback", "faces_found"),
    ]
    assert found["left"]["quality"] == {"side": 30, "sharpness": 123.4, "brightness": 99.5}
    assert FACE.to_dict()["template"] == FACE.to_dict()["embedding"] == [1, 1, 1]
    bare = replace(FACE, landmarks=None, template=None, embedding=None, quality=None).to_dict()
    assert bare["landmarks"] is bare["template"] is bare["embedding"] is bare["quality"] is None
    assert replace(VERIFICATION, left=None).to_dict()["left"] is None
    assert PhotoError("a", "b").to_dict() == {"reason": "a", "message": "b"}


def test_they_are_frozen() -> None:
    for result, name in ((FACE, "box"), (VERIFICATION, "match"), (PhotoError("a", "b"), "reason")):
        with pytest.raises(FrozenInstanceError):
            setattr(result, name, None)
