"""Bootstrap weights against loops, and the coverage of the intervals."""

import numpy as np
import pytest

from facenet.evaluation.bootstrap import (
    bootstrap,
    percentile_interval,
    person_codes,
    weighted_accuracy,
    weighted_rate,
)


def test_weights_are_products_of_the_counts_of_both_people() -> None:
    left, right = np.array([0, 0, 1, 2]), np.array([0, 1, 2, 2])
    weights = bootstrap(lambda w: w, left, right, draws=200, seed=3)
    assert weights.shape == (200, 4)
    for row in weights:
        counts = next(
            (a, b, c)
            for a in range(4)
            for b in range(4 - a)
            if (c := 3 - a - b) >= 0 and [a, a * b, b * c, c] == row.tolist()
        )
        assert sum(counts) == 3
    assert np.array_equal(weights, bootstrap(lambda w: w, left, right, draws=200, seed=3))
    assert not np.array_equal(weights, bootstrap(lambda w: w, left, right, draws=200, seed=4))


def test_weighted_rates_by_hand() -> None:
    weights = np.array([[1.0, 2, 0, 1], [0, 0, 3, 0]])
    hits, among = np.array([True, False, True, True]), np.array([True, True, False, True])
    found = weighted_rate(weights, hits, among)
    assert found[0] == 0.5
    assert np.isnan(found[1])
    same = np.array([True, True, False, False])
    assert weighted_accuracy(weights[:1], hits, same)[0] == pytest.approx(0.5 * 1 / 3 + 0.5 * 1)


def test_person_codes() -> None:
    left, right = person_codes(np.array(["b", "a"]), np.array(["a", "c"]))
    assert (left.tolist(), right.tolist()) == ([1, 0], [0, 2])


def test_interval_ignores_nan() -> None:
    values = np.append(np.arange(101.0), np.nan)
    assert percentile_interval(values, 0.9) == pytest.approx((5, 95))
    with pytest.raises(ValueError, match="at least one draw"):
        percentile_interval(np.array([np.nan]))


def test_interval_covers_the_truth_where_pairs_of_a_person_are_correlated() -> None:
    """People differ in difficulty; 95 % intervals over pairs would cover the mean half of the time."""
    random, covered, trials = np.random.default_rng(0), 0, 60
    people = np.repeat(np.arange(40), 25)
    for trial in range(trials):
        easy = random.random(40) < 0.5
        hits = easy[people]
        drawn = bootstrap(
            lambda w, h=hits: weighted_rate(w, h, np.ones(len(h), bool)),
            people,
            people,
            draws=200,
            seed=trial,
        )
        low, high = percentile_interval(drawn)
        covered += low <= 0.5 <= high
    assert 50 <= covered <= trials
