"""The exact search: no other threshold does better on the same pairs."""

import numpy as np
import pytest

from facenet.evaluation.thresholds import (
    Flags,
    Floats,
    choose_thresholds,
    far_threshold,
    max_accuracy_threshold,
)


def sample(seed: int, count: int = 60) -> tuple[Floats, Flags]:
    """Overlapping distances, many of them tied."""
    random = np.random.default_rng(seed)
    same = random.random(count) < 0.5
    return np.round(random.normal(np.where(same, 1.0, 1.4), 0.3), 1 + seed % 3), same


def right(distances: Floats, same: Flags, threshold: float) -> int:
    return sum((d < threshold) == bool(s) for d, s in zip(distances, same, strict=True))


@pytest.mark.parametrize("seed", range(30))
def test_no_threshold_is_better(seed: int) -> None:
    distances, same = sample(seed)
    best = max_accuracy_threshold(distances, same)
    candidates = [
        *np.linspace(distances.min() - 1, distances.max() + 1, 997),
        *distances,
        *(distances + 1e-9),
    ]
    most = max(right(distances, same, t) for t in candidates)
    assert right(distances, same, best) == most
    lower = [t for t in candidates if right(distances, same, t) == most and t < best]
    assert all((distances < t).sum() == (distances < best).sum() for t in lower)  # ties: it accepts least


@pytest.mark.parametrize("seed", range(30))
@pytest.mark.parametrize("far", [0.001, 0.1, 0.29, 0.999])
def test_far_threshold_is_the_largest_that_meets_the_target(seed: int, far: float) -> None:
    distances, same = sample(seed)
    negatives = distances[~same]
    found = far_threshold(distances, same, far)
    assert sum(d < found for d in negatives) <= far * len(negatives) + 1e-9
    higher = float(np.nextafter(found, np.inf))
    assert sum(d < higher for d in negatives) > far * len(negatives) + 1e-9


def test_far_of_a_whole_number_of_pairs() -> None:
    negatives = np.arange(100.0)
    assert far_threshold(negatives, np.zeros(100, bool), 0.29) == 29  # 0.29 * 100 is 28.999999999999996
    assert far_threshold(negatives, np.zeros(100, bool), 0.001) == 0


def test_threshold_is_midway() -> None:
    chosen = choose_thresholds(np.array([0.2, 0.4, 1.0, 1.2]), np.array([True, True, False, False]), 0.5)
    assert chosen.accuracy == pytest.approx(0.7)
    assert chosen.val == 1.2


def test_ends_accept_none_and_all() -> None:
    distances = np.array([0.5, 0.7])
    assert max_accuracy_threshold(distances, np.array([False, False])) == 0.5
    assert 0.7 < max_accuracy_threshold(distances, np.array([True, True])) < 0.7 + 1e-12


def test_neighbouring_floats() -> None:
    low = 1.0
    high = float(np.nextafter(low, 2))
    threshold = max_accuracy_threshold(np.array([low, high]), np.array([True, False]))
    assert low < threshold
    assert not high < threshold


def test_far_without_different_pairs_accepts_nothing() -> None:
    assert far_threshold(np.array([0.1, 0.2]), np.array([True, True]), 0.1) == 0
