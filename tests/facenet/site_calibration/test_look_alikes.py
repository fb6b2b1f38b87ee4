"""A photo in the wrong folder is found by a loop over all pairs, once for every two people."""

import itertools

import numpy as np
import pytest

from facenet.evaluation.distances import unit_rows
from facenet.site_calibration import look_alikes as module
from facenet.site_calibration.look_alikes import look_alikes
from tests.calibration import calibration

MATCHER = calibration(metric="cosine", slope=40.0, intercept=14.0)


def test_the_nearest_photos_of_two_people_are_those_of_a_loop() -> None:
    random = np.random.default_rng(0)
    centres = random.normal(size=(8, 16))
    owners = [f"person {number // 4}" for number in range(32)]
    faces = unit_rows(np.repeat(centres, 4, axis=0) + 0.3 * random.normal(size=(32, 16)))
    assert look_alikes(faces, owners, MATCHER) == []
    owners[5] = "person 0"  # a photo of person 1
    expected: dict[frozenset[str], tuple[float, int, int]] = {}
    for left, right in itertools.combinations(range(32), 2):
        distance = MATCHER.template_pairs(faces[left][None], faces[right][None])
        probability = float(MATCHER.probability(distance)[0])
        pair = frozenset((owners[left], owners[right]))
        if len(pair) == 2 and probability >= 0.999 and probability > expected.get(pair, (0.0, 0, 0))[0]:
            expected[pair] = (probability, left, right)
    found = look_alikes(faces, owners, MATCHER)
    assert {(one.left, one.right) for one in found} == {(left, right) for _, left, right in expected.values()}
    assert len(found) == 1
    assert 5 in (found[0].left, found[0].right)


def test_blocks_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    faces = unit_rows(np.random.default_rng(1).normal(size=(30, 4)))
    owners = [f"{number % 10}" for number in range(30)]
    whole = look_alikes(faces, owners, MATCHER, least=0.9)
    assert len(whole) > 3
    assert [one.probability for one in whole] == sorted((one.probability for one in whole), reverse=True)
    monkeypatch.setattr(module, "BLOCK", 7)
    assert look_alikes(faces, owners, MATCHER, least=0.9) == whole
