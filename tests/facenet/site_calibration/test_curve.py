"""The curve is Platt's, fitted with weights per person instead of per pair."""

import numpy as np
import pytest

from facenet.evaluation.platt import fit_sigmoid
from facenet.site_calibration.curve import site_curve
from facenet.site_calibration.people_pairs import PeoplePairs


def pairs(same: np.ndarray, different: np.ndarray, people: int = 12) -> PeoplePairs:
    """Pairs with two photos per person: one same pair each, and four different pairs of every two."""
    left, right = np.triu_indices(people, 1)
    return PeoplePairs(
        photos=np.full(people, 2),
        different=different.astype(np.float32),
        left=np.repeat(left, 4).astype(np.int32),
        right=np.repeat(right, 4).astype(np.int32),
        same=same.astype(np.float32),
        same_people=np.arange(people, dtype=np.int32),
    )


def test_the_curve_counts_people_and_not_photos() -> None:
    random = np.random.default_rng(0)
    same, different = random.normal(0.3, 0.08, 12), random.normal(0.6, 0.1, 66 * 4)
    found = site_curve(pairs(same, different))
    counts = np.concatenate([np.ones(12), np.full(66 * 4, 1 / 4)])
    expected = fit_sigmoid(np.concatenate([same, different]), np.arange(276) < 12, counts=counts)
    assert found is not None
    assert found.slope == pytest.approx(expected.slope, rel=2e-3)
    assert found.intercept == pytest.approx(expected.intercept, rel=2e-3)


def test_there_is_no_curve_without_same_pairs_or_if_they_are_the_farther_ones() -> None:
    random = np.random.default_rng(0)
    near, far = random.normal(0.3, 0.01, 66 * 4), random.normal(0.6, 0.01, 12)
    assert site_curve(pairs(far, near)) is None
    alone = pairs(far, near)
    object.__setattr__(alone, "same", alone.same[:0])
    assert site_curve(alone) is None
