"""The discrepancy against sums over all pairs of rows."""

import math

import numpy as np
import pytest

from facenet.monitoring.mmd import Kernel
from facenet.monitoring.weights import resampled_weights


def naive(first: np.ndarray, second: np.ndarray, width: float) -> float:
    def mean(left: np.ndarray, right: np.ndarray) -> float:
        values = [math.exp(-sum((a - b) ** 2) / (2 * width)) for a in left for b in right]
        return sum(values) / len(values)

    return mean(first, first) + mean(second, second) - 2 * mean(first, second)


def standardised(rows: np.ndarray, reference: np.ndarray) -> np.ndarray:
    low, middle, high = np.quantile(reference, [0.25, 0.5, 0.75], axis=0)
    return np.clip((rows - middle) * 1.349 / (high - low), -5, 5)


def test_it_is_the_mean_over_all_pairs() -> None:
    rng = np.random.default_rng(1)
    reference, day = rng.normal(0, (1, 50), (40, 2)), rng.normal(0.5, (1, 50), (15, 2))
    rows = standardised(reference, reference)
    apart = [sum((a - b) ** 2) for n, a in enumerate(rows) for b in rows[:n]]
    expected = naive(rows, standardised(day, reference), float(np.median(apart)))
    kernel = Kernel(reference)
    assert kernel.squared_mmd(day) == pytest.approx(expected)
    assert kernel.squared_mmd(reference) == pytest.approx(0, abs=1e-12)


def test_it_sees_a_change_of_the_dependence_alone() -> None:
    """Both columns keep their distributions, and only their correlation changes its sign."""
    rng = np.random.default_rng(2)
    reference = rng.multivariate_normal([0, 0], [[1, 0.9], [0.9, 1]], 300)
    same = Kernel(reference).squared_mmd(rng.multivariate_normal([0, 0], [[1, 0.9], [0.9, 1]], 300))
    assert Kernel(reference).squared_mmd(reference * (1, -1)) > 20 * same


def test_weights_give_that_of_the_samples_they_stand_for() -> None:
    rng = np.random.default_rng(3)
    reference = rng.normal(0, 1, (20, 3))
    kernel = Kernel(reference)
    first, second = (resampled_weights(20, size, 3, rng) for size in (20, 8))
    found = kernel.weighted(first - second)
    for draw in range(3):
        difference = (first - second)[:, draw].astype(float)
        assert found[draw] == pytest.approx(difference @ kernel.between @ difference, rel=1e-4)


def test_a_constant_column_changes_nothing() -> None:
    rows = np.random.default_rng(4).normal(0, 1, (30, 1))
    with_constant = np.column_stack([rows, np.full(30, 7.0)])
    assert Kernel(with_constant).squared_mmd(with_constant[:10]) == pytest.approx(
        Kernel(rows).squared_mmd(rows[:10])
    )
