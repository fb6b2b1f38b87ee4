"""Probabilities against the truth they are about."""

import dataclasses

import numpy as np
import pytest
from scipy.special import expit
from sklearn.linear_model import LogisticRegression

from facenet.evaluation.calibration import calibrate, fit_sigmoid, reliability
from facenet.matching import Sigmoid
from tests.facenet.evaluation.test_operating_points import measured


def test_fit_is_a_logistic_regression_on_platts_targets() -> None:
    """scikit-learn takes hard targets: each pair is given twice, with the weight of either answer."""
    random = np.random.default_rng(0)
    same = np.arange(600) % 3 == 0
    distances = random.normal(np.where(same, 0.9, 1.6), 0.4)
    positives, negatives = 200, 400
    target = np.where(same, (positives + 1) / (positives + 2), 1 / (negatives + 2))
    weight = np.where(same, 0.5 / positives, 0.5 / negatives)
    wanted = LogisticRegression(C=1e9, tol=1e-10, max_iter=1000).fit(
        np.tile(distances, 2)[:, None],
        np.repeat([1, 0], 600),
        np.concatenate([weight * target, weight * (1 - target)]) * 600,
    )
    found = fit_sigmoid(distances, same)
    assert found.slope == pytest.approx(-wanted.coef_[0, 0], rel=1e-4)
    assert found.intercept == pytest.approx(wanted.intercept_[0], rel=1e-4)


def test_fit_finds_the_sigmoid_that_made_the_pairs() -> None:
    random = np.random.default_rng(1)
    distances = random.uniform(0, 2, 40_000)
    same = random.random(40_000) < expit(5 - 5 * distances)  # half of them, by symmetry
    found = fit_sigmoid(distances, same)
    assert found.slope == pytest.approx(5, rel=0.05)
    assert found.intercept == pytest.approx(5, rel=0.05)


def test_kinds_that_no_distance_mixes_have_a_finite_slope() -> None:
    distances = np.concatenate([np.linspace(0.1, 0.5, 50), np.linspace(1.5, 2, 50)])
    fit = fit_sigmoid(distances, np.arange(100) < 50)
    assert 0 < fit.slope < 1000
    assert fit.probability(np.array([0.3]))[0] > 0.9
    assert fit.probability(np.array([1.7]))[0] < 0.1


def test_prior_shifts_the_odds() -> None:
    sigmoid = Sigmoid(slope=4.0, intercept=4.0)
    assert sigmoid.probability(np.array([1.0]))[0] == 0.5
    assert sigmoid.probability(np.array([1.0]), prior=0.01)[0] == pytest.approx(0.01)


def test_one_kind_only_is_told() -> None:
    with pytest.raises(ValueError, match="same and different"):
        fit_sigmoid(np.ones(3), np.ones(3, bool))


def test_no_fold_is_judged_by_a_fit_that_has_seen_it() -> None:
    sample = measured()
    found = calibrate(sample)
    for number in range(4):
        test = sample.pairs.fold == number
        fit = fit_sigmoid(sample.distances[number][~test], sample.pairs.same[~test])
        assert np.allclose(found.probabilities[test], fit.probability(sample.distances[number][test]))
    said, same = found.probabilities, sample.pairs.same
    assert found.brier == pytest.approx(np.mean([(p - s) ** 2 for p, s in zip(said, same, strict=True)]))
    assert found.log_loss == pytest.approx(
        np.mean([-np.log(p if s else 1 - p) for p, s in zip(said, same, strict=True)])
    )
    assert found.expected_error < 0.1
    assert 0.25 > found.brier > 0.01


def test_turned_labels_of_a_fold_do_not_reach_its_own_probabilities() -> None:
    sample = measured()
    pairs = sample.pairs
    turned = dataclasses.replace(pairs, same=np.where(pairs.fold == 2, ~pairs.same, pairs.same))
    before, after = calibrate(sample), calibrate(dataclasses.replace(sample, pairs=turned))
    own = pairs.fold == 2
    assert np.array_equal(before.probabilities[own], after.probabilities[own])
    assert not np.allclose(before.probabilities[~own], after.probabilities[~own])


def test_reliability_counts_every_pair_once() -> None:
    said = np.array([0.0, 0.05, 0.31, 0.999, 1.0])
    bins = reliability(said, np.array([False, True, True, True, True]))
    assert [(b.low, b.pairs, b.observed) for b in bins] == [(0.0, 2, 0.5), (0.3, 1, 1.0), (0.9, 2, 1.0)]
    assert bins[0].predicted == pytest.approx(0.025)
