"""The answers without networks."""

from typing import Any

import numpy as np
import pytest

from facenet.answers import Verifier, face_of, faces_of
from facenet.detection import AlignedFace, Faces
from facenet.results import Face, PhotoError
from tests.facenet.test_matching import matcher

REJECTED = PhotoError("corrupt", "the file ends early")
PLAIN = {"flip": "none", "mean": None, "metric": "euclidean_squared"}


def aligned(**fields: Any) -> AlignedFace:
    given: dict[str, Any] = {
        "image": np.zeros((4, 4, 3), np.uint8),
        "box": np.array([1.0, 2, 3, 4], np.float32),
        "landmarks": np.ones((5, 2), np.float32),
        "probability": 0.75,
        "faces_found": 2,
        "fallback": False,
    }
    return AlignedFace(**{**given, **fields})


def face(*template: float) -> Face:
    return Face((0, 0, 1, 1), None, 0.9, template=np.array(template, np.float32))


def test_a_face_is_plain_python() -> None:
    found = face_of(aligned())
    assert (found.box, found.landmarks) == ((1, 2, 3, 4), ((1, 1),) * 5)
    assert (found.probability, found.faces_found, found.fallback) == (0.75, 2, False)
    nothing = face_of(
        aligned(landmarks=np.full((5, 2), np.nan, np.float32), probability=0.0, faces_found=0, fallback=True)
    )
    assert (nothing.landmarks, nothing.fallback) == (None, True)


def test_the_faces_of_a_photo_keep_their_order() -> None:
    boxes = np.arange(8, dtype=np.float32).reshape(2, 4)
    found = faces_of(Faces(boxes, np.array([0.9, 0.8], np.float32), np.ones((2, 5, 2), np.float32)))
    assert [each.box for each in found] == [(0, 1, 2, 3), (4, 5, 6, 7)]
    assert {each.faces_found for each in found} == {2}
    assert faces_of(Faces()) == []


@pytest.mark.parametrize(("distance", "match"), [(0.79, True), (0.8, False), (0.81, False)])
def test_the_threshold_decides(distance: float, match: bool) -> None:
    pair = face(0, 0), face(0, float(np.sqrt(distance)))
    (found,) = Verifier(matcher(**PLAIN), far=0.1, prior=0.5).answers([pair])
    if distance != 0.8:
        assert found.match is match
    assert (found.threshold, found.error) == (0.8, None)
    assert found.distance == pytest.approx(distance)
    assert found.probability == pytest.approx(1 / (1 + np.exp(9.5 * distance - 6)), rel=1e-5)
    assert (found.supported, found.reason) == (True, None)
    assert (found.left, found.right) == pair


def test_an_unsupported_threshold_says_so() -> None:
    (found,) = Verifier(matcher(**PLAIN), far=0.001, prior=0.5).answers([(face(0, 0), face(0, 0.1))])
    assert (found.match, found.supported) == (True, False)
    assert found.reason is not None
    assert "600 pairs of people" in found.reason
    few = matcher(people=10, people_pairs=45, thresholds=(), **PLAIN)
    (found,) = Verifier(few, far=None, prior=0.5).answers([(face(0, 0), face(0, 0.1))])
    assert found.reason == "measured on 10 people; at least 40 are needed"
    with pytest.raises(ValueError, match="measured on 10 people"):
        Verifier(few, far=0.1, prior=0.5)


def test_pairs_without_two_faces_do_not_disturb_the_others() -> None:
    pairs = [
        (face(0, 0), REJECTED),
        (face(0, 0), face(0, 0.5)),
        (REJECTED, REJECTED),
        (face(1, 0), face(1, 0)),
    ]
    found = Verifier(matcher(**PLAIN), far=None, prior=0.5).answers(pairs)
    assert [each.distance for each in found] == [None, 0.25, None, 0.0]
    assert [each.match for each in found] == [False, True, False, True]
    assert found[0].error == "corrupt: the file ends early (right photo)"
    assert found[2].error == (
        "corrupt: the file ends early (left photo); corrupt: the file ends early (right photo)"
    )
    assert (found[0].left, found[0].right) == (pairs[0][0], None)
    assert found[2].probability is None
