"""The stability index against one that counts rows one by one."""

import math
from itertools import pairwise

import numpy as np
import pytest

from facenet.monitoring.psi import bin_edges, psi, weighted_psi
from facenet.monitoring.weights import resampled_weights


def naive(reference: list[float], day: list[float]) -> float:
    edges = [-math.inf, *bin_edges(reference).tolist(), math.inf]
    total = 0.0
    for low, high in pairwise(edges):
        p, q = (
            max(sum(low < value <= high for value in sample), 0.5) / len(sample)
            for sample in (reference, day)
        )
        total += (q - p) * math.log(q / p)
    return total


def test_it_is_the_sum_over_the_tenths_of_the_reference() -> None:
    rng = np.random.default_rng(1)
    reference, day = rng.normal(0, 1, 500).tolist(), rng.normal(0.4, 1, 200).tolist()
    assert psi(reference, day) == pytest.approx(naive(reference, day))
    assert psi(reference, reference) == 0


def test_a_golden_value() -> None:
    """All of a day in the lowest tenth: 0.9 ln 10 there, and nine empty bins of half a row of ten."""
    reference = np.arange(100)
    empty = 0.05
    expected = 0.9 * math.log(10) + 9 * (empty - 0.1) * math.log(empty / 0.1)
    assert psi(reference, np.zeros(10)) == pytest.approx(expected)


def test_equal_values_share_a_bin() -> None:
    assert bin_edges([1, 1, 1, 1, 1, 1, 1, 1, 1, 2]).tolist() == [1]
    assert psi([1] * 9 + [2], [1] * 9 + [2]) == 0


def test_weights_give_that_of_the_samples_they_stand_for() -> None:
    rng = np.random.default_rng(3)
    values = rng.normal(0, 1, 60)
    first, second = (resampled_weights(60, size, 4, rng) for size in (60, 30))
    found = weighted_psi(values, first, second, (60, 30))
    edges = bin_edges(values)
    for draw in range(4):
        p, q = (
            np.maximum(np.bincount(np.searchsorted(edges, values), w[:, draw], len(edges) + 1), 0.5 / size)
            for w, size in ((first, 60), (second, 30))
        )
        assert found[draw] == pytest.approx(float(((q - p) * np.log(q / p)).sum()), rel=1e-4)
