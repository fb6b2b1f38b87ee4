"""The probability of a match against the odds it is defined by."""

import math

import numpy as np
import pytest

from facenet.errors import ParamsInvalid
from facenet.evaluation.sigmoid import Sigmoid


@pytest.mark.parametrize("prior", [0.5, 0.01, 0.9])
@pytest.mark.parametrize("distance", [0.0, 0.7, 1.5])
def test_probability_equals_bayes_rule(prior: float, distance: float) -> None:
    likelihood_ratio = math.exp(6 - 8 * distance)
    expected = likelihood_ratio * prior / (likelihood_ratio * prior + 1 - prior)
    found = Sigmoid(slope=8.0, intercept=6.0).probability(np.array([distance]), prior)
    assert found.dtype == np.float64
    assert found[0] == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("prior", [0, 1, 1.5, -0.1, float("nan"), float("inf")])
def test_a_prior_that_is_not_between_0_and_1_is_refused(prior: float) -> None:
    with pytest.raises(ParamsInvalid, match=rf"prior is {prior!r}: .* above 0 and below 1"):
        Sigmoid(slope=2.0, intercept=1.0).probability([0.5], prior)


def test_extreme_distances_do_not_overflow() -> None:
    with np.errstate(all="raise"):
        found = Sigmoid(slope=1e3, intercept=0.0).probability([-1e3, 0.0, 1e3])
    assert found.tolist() == [1, 0.5, 0]


def test_probability_falls_with_the_distance() -> None:
    found = Sigmoid(slope=2.0, intercept=1.0).probability(np.linspace(0, 4, 50))
    assert (np.diff(found) < 0).all()
