"""What the checks find in faces, and in the gallery."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from facenet.results import Face, PhotoError, Quality
from service.gallery import Enrolment, Gallery
from service.gallery.checks import check_face, check_person
from service.gallery.settings import Settings
from tests.calibration import calibration

GOOD = Quality(side=120, sharpness=400, brightness=120)
FACE = Face((0, 0, 120, 150), None, 0.99, np.ones(16, np.float32), GOOD)
SETTINGS = Settings(min_side=50, min_sharpness=30, min_brightness=40, max_brightness=220)
# A cosine distance of 0.4 is as likely between photos of one person as of two.
MATCHER = calibration(
    metric="cosine", flip="none", slope=40.0, intercept=16.0, people=1000, people_pairs=100_000
)


@pytest.mark.parametrize(
    ("face", "checks"),
    [
        (FACE, []),
        (replace(FACE, quality=None), []),
        (PhotoError("no_face", "no face was found"), ["no_face"]),
        (PhotoError("corrupt", "cut off"), ["unreadable"]),
        (replace(FACE, fallback=True), ["no_face"]),
        (replace(FACE, faces_found=3), ["several_faces"]),
        (replace(FACE, quality=replace(GOOD, side=49)), ["too_small"]),
        (replace(FACE, quality=replace(GOOD, sharpness=43)), ["blurred"]),
        (replace(FACE, quality=replace(GOOD, brightness=39)), ["too_dark"]),
        (replace(FACE, quality=replace(GOOD, brightness=221)), ["too_bright"]),
        (
            replace(FACE, faces_found=2, quality=Quality(20, 0.1, 10)),
            ["several_faces", "too_small", "blurred", "too_dark"],
        ),
        (replace(FACE, quality=Quality(50, 30 * 0.16, 40)), []),  # as sharp as 30 at a grey value of 100
    ],
)
def test_a_face_is_compared_with_the_limits(face: Any, checks: list[str]) -> None:
    found = check_face(7, face, SETTINGS)
    assert [finding.check for finding in found] == checks
    assert all(finding.photo == 7 and finding.message for finding in found)


def towards(person: np.ndarray, other: np.ndarray, cosine: float) -> Enrolment:
    """Return a photo whose template has a cosine with a person's, in the plane with another, away from it."""
    side = (other @ person) * person - other
    template = cosine * person + np.sqrt(1 - cosine**2) * side / np.linalg.norm(side)
    return Enrolment.of(template.tobytes(), template.astype(np.float32))


def test_a_photo_or_face_of_somebody_else_is_found(gallery: Gallery, photo: Callable[..., Enrolment]) -> None:
    ada, bob, new = photo(), photo(), photo()
    gallery.enrol("Ada", [ada], by="me")
    gallery.enrol("Bob", [bob], by="me")
    same_file = replace(new, sha256=ada.sha256)
    found = check_person(gallery, "Carol", [(0, new), (1, same_file)], MATCHER)
    assert [(f.photo, f.check) for f in found] == [(1, "other_name")]
    assert "the same photo is enrolled as 'Ada'" in found[0].message
    (found_face,) = check_person(gallery, "Carol", [(0, towards(bob.template, new.template, 0.9))], MATCHER)
    assert found_face.check == "other_name"
    assert "the face is that of 'Bob', who is enrolled (probability 1.000)" in found_face.message
    # The same person under another spelling is no other name, and the photo is known.
    assert check_person(gallery, "BOB", [(0, bob)], MATCHER) == []
    # Bob's second photo is near Bob and not near Ada.
    assert check_person(gallery, "Bob", [(0, towards(bob.template, new.template, 0.9))], MATCHER) == []


def test_a_photo_unlike_all_others_of_the_person_is_found(
    gallery: Gallery, photo: Callable[..., Enrolment]
) -> None:
    ada, far = photo(), photo()
    near = towards(ada.template, far.template, 0.8)
    assert check_person(gallery, "Ada", [(0, ada)], MATCHER) == []  # nothing to compare with
    found = check_person(
        gallery, "Ada", [(4, ada), (5, near), (6, towards(ada.template, -far.template, 0.1))], MATCHER
    )
    assert [(f.photo, f.check) for f in found] == [(6, "unlike")]
    gallery.enrol("Ada", [ada], by="me")
    found = check_person(gallery, "ada", [(0, towards(ada.template, -far.template, 0.1))], MATCHER)
    assert [(f.photo, f.check) for f in found] == [(0, "unlike")]
    assert "the distance to the nearest is 0.900, that of a match below 0.400" in found[0].message
    assert check_person(gallery, "Ada", [], MATCHER) == []
