"""Platt's sigmoid against scikit-learn, and its midpoint against the threshold search."""

import numpy as np
import pytest
from scipy.special import expit
from sklearn.linear_model import LogisticRegression

from facenet.errors import PairsFileInvalid
from facenet.evaluation.platt import equal_prior_threshold, fit_sigmoid
from facenet.evaluation.thresholds import Flags, Floats, max_accuracy_threshold


def test_fit_is_a_logistic_regression_on_platts_targets() -> None:
    """scikit-learn takes hard targets: each pair occurs twice, weighted by its soft target."""
    random = np.random.default_rng(0)
    same = np.arange(600) % 3 == 0
    distances = random.normal(np.where(same, 0.9, 1.6), 0.4)
    positives, negatives = 200, 400
    target = np.where(same, (positives + 1) / (positives + 2), 1 / (negatives + 2))
    weight = np.where(same, 0.5 / positives, 0.5 / negatives)
    expected = LogisticRegression(C=1e9, tol=1e-10, max_iter=1000).fit(
        np.tile(distances, 2)[:, None],
        np.repeat([1, 0], 600),
        np.concatenate([weight * target, weight * (1 - target)]) * 600,
    )
    found = fit_sigmoid(distances, same)
    assert found.slope == pytest.approx(-expected.coef_[0, 0], rel=1e-4)
    assert found.intercept == pytest.approx(expected.intercept_[0], rel=1e-4)


def test_fit_recovers_the_generating_sigmoid() -> None:
    random = np.random.default_rng(1)
    distances = random.uniform(0, 2, 40_000)
    same = random.random(40_000) < expit(5 - 5 * distances)  # half of them, by symmetry
    found = fit_sigmoid(distances, same)
    assert found.slope == pytest.approx(5, rel=0.05)
    assert found.intercept == pytest.approx(5, rel=0.05)


def test_counts_are_repeated_pairs() -> None:
    distances, same = few(0)
    counts = np.random.default_rng(0).integers(1, 4, len(same))
    repeated = fit_sigmoid(np.repeat(distances, counts), np.repeat(same, counts))
    counted = fit_sigmoid(distances, same, counts=counts.astype(np.float64))
    assert (counted.slope, counted.intercept) == pytest.approx((repeated.slope, repeated.intercept), rel=1e-4)


def test_more_weight_on_different_pairs_follows_the_odds_where_matches_are_rare() -> None:
    """The true log odds, 8 - 8 d + 4 (d - 1)^2, are steeper at small distances."""
    distances = np.linspace(0, 2, 400)
    truth = 8 - 8 * distances + 4 * (distances - 1) ** 2
    counts = np.exp(-((distances - 1.3) ** 2) / 0.1)
    both = np.concatenate([distances, distances]), np.arange(800) < 400
    weights = np.concatenate([counts * np.exp(truth), counts])
    rare = fit_sigmoid(*both, counts=1e6 * weights / counts.sum(), different=1000)
    even = fit_sigmoid(*both, counts=1e6 * weights / counts.sum())
    at = int(np.argmin(abs(truth - np.log(1000 * weights[:400].sum() / counts.sum()))))
    true = truth[at] - np.log(weights[:400].sum() / counts.sum())
    errors = [abs(fit.intercept - fit.slope * distances[at] - true) for fit in (rare, even)]
    assert errors[0] < errors[1] / 2


def test_separable_classes_have_a_finite_slope() -> None:
    distances = np.concatenate([np.linspace(0.1, 0.5, 50), np.linspace(1.5, 2, 50)])
    fit = fit_sigmoid(distances, np.arange(100) < 50)
    assert 0 < fit.slope < 1000
    assert fit.probability(np.array([0.3]))[0] > 0.9
    assert fit.probability(np.array([1.7]))[0] < 0.1


def test_a_single_class_raises() -> None:
    with pytest.raises(PairsFileInvalid, match="All 3 pairs to calibrate on show the same person"):
        fit_sigmoid(np.ones(3), np.ones(3, bool))
    with pytest.raises(PairsFileInvalid, match="different people"):
        equal_prior_threshold(np.ones(3), np.zeros(3, bool))


def few(seed: int) -> tuple[Floats, Flags]:
    """Return 84 same pairs around 0.6 and 598 different pairs around 1.2."""
    random = np.random.default_rng(seed)
    same = np.arange(682) < 84
    return random.normal(np.where(same, 0.6, 1.2), 0.3), same


def test_equal_prior_threshold_has_probability_one_half() -> None:
    distances, same = few(0)
    found = equal_prior_threshold(distances, same)
    assert fit_sigmoid(distances, same).probability(found) == pytest.approx(0.5)


def test_equal_prior_threshold_lies_midway_for_unbalanced_classes_of_equal_variance() -> None:
    found = np.array([equal_prior_threshold(*few(seed)) for seed in range(50)])
    assert found.mean() == pytest.approx(
        0.9, abs=0.02
    )  # Platt's targets shift it slightly to the rarer class
    searched = [max_accuracy_threshold(*few(seed)) for seed in range(50)]
    assert np.mean(searched) < 0.75  # accuracy is highest where few pairs are accepted


def test_equal_prior_threshold_varies_less_than_that_of_maximum_accuracy() -> None:
    even, searched = [], []
    for seed in range(50):
        distances, same = (column[: 2 * 84] for column in few(seed))  # balanced
        even.append(equal_prior_threshold(distances, same))
        searched.append(max_accuracy_threshold(distances, same))
    assert np.std(even) < np.std(searched) / 2


def test_equal_prior_threshold_falls_back_where_matches_are_not_nearer() -> None:
    distances, same = few(0)
    assert equal_prior_threshold(-distances, same) == max_accuracy_threshold(-distances, same)
