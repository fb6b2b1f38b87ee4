"""Calibrated probabilities against known labels."""

import dataclasses

import numpy as np
import pytest
import sklearn.metrics

from facenet.evaluation.calibration import calibrate, log_loss, reliability
from facenet.evaluation.platt import fit_sigmoid
from facenet.evaluation.sigmoid import Sigmoid
from tests.facenet.evaluation.test_operating_points import measured


def test_prior_shifts_the_odds() -> None:
    sigmoid = Sigmoid(slope=4.0, intercept=4.0)
    assert sigmoid.probability(np.array([1.0]))[0] == 0.5
    assert sigmoid.probability(np.array([1.0]), prior=0.01)[0] == pytest.approx(0.01)


def test_a_fold_is_evaluated_by_a_fit_on_the_others() -> None:
    sample = measured()
    found = calibrate(sample)
    for number in range(4):
        test = sample.pairs.fold == number
        fit = fit_sigmoid(sample.distances[number][~test], sample.pairs.same[~test])
        assert np.allclose(found.probabilities[test], fit.probability(sample.distances[number][test]))
    predicted, same = found.probabilities, sample.pairs.same
    assert found.brier == pytest.approx(np.mean([(p - s) ** 2 for p, s in zip(predicted, same, strict=True)]))
    assert found.log_loss == pytest.approx(
        np.mean([-np.log(p if s else 1 - p) for p, s in zip(predicted, same, strict=True)])
    )
    assert found.expected_error < 0.1
    assert 0.25 > found.brier > 0.01


def test_log_loss_is_that_of_scikit_learn_and_finite_at_probabilities_0_and_1() -> None:
    generator = np.random.default_rng(666)
    said, same = generator.uniform(size=200), generator.uniform(size=200) < 0.5
    assert log_loss(said, same) == pytest.approx(sklearn.metrics.log_loss(same, said), rel=1e-12)
    said[:4], same[:4] = [0, 1, 0, 1], [True, False, False, True]
    assert log_loss(said, same) == pytest.approx(sklearn.metrics.log_loss(same, said), rel=1e-12)
    assert log_loss(np.zeros(1), np.array([True])) == pytest.approx(52 * np.log(2))


def test_one_same_pair_far_away_leaves_the_log_loss_finite() -> None:
    sample = measured()
    place = int(np.flatnonzero(sample.pairs.same)[0])
    distances = sample.distances.copy()
    distances[:, place] = 1e6
    found = calibrate(dataclasses.replace(sample, distances=distances))
    assert found.probabilities[place] == 0
    assert np.isfinite(found.log_loss)


def test_labels_of_a_fold_do_not_affect_its_own_probabilities() -> None:
    sample = measured()
    pairs = sample.pairs
    flipped = dataclasses.replace(pairs, same=np.where(pairs.fold == 2, ~pairs.same, pairs.same))
    before, after = calibrate(sample), calibrate(dataclasses.replace(sample, pairs=flipped))
    own = pairs.fold == 2
    assert np.array_equal(before.probabilities[own], after.probabilities[own])
    assert not np.allclose(before.probabilities[~own], after.probabilities[~own])


def test_reliability_counts_every_pair_once() -> None:
    predicted = np.array([0.0, 0.05, 0.31, 0.999, 1.0])
    bins = reliability(predicted, np.array([False, True, True, True, True]))
    assert [(b.low, b.pairs, b.observed) for b in bins] == [(0.0, 2, 0.5), (0.3, 1, 1.0), (0.9, 2, 1.0)]
    assert bins[0].predicted == pytest.approx(0.025)
