"""The KS statistic against SciPy, and that of weights against samples."""

import numpy as np
import pytest
from scipy.stats import ks_2samp

from facenet.monitoring.ks import ks, weighted_ks
from facenet.monitoring.weights import resampled_weights


@pytest.mark.parametrize("digits", [0, 8])  # with ties, and without
def test_it_is_that_of_scipy(digits: int) -> None:
    rng = np.random.default_rng(1)
    first, second = rng.normal(0, 2, 90).round(digits), rng.normal(0.5, 2, 41).round(digits)
    assert ks(first, second) == pytest.approx(ks_2samp(first, second).statistic)
    assert ks(first, first) == 0
    assert ks([1, 2], [3, 4]) == 1


@pytest.mark.parametrize("digits", [0, 8])
def test_weights_give_that_of_the_samples_they_stand_for(digits: int) -> None:
    rng = np.random.default_rng(2)
    values = rng.normal(0, 2, 25).round(digits)
    first, second = (resampled_weights(25, size, 6, rng) for size in (25, 10))
    found = weighted_ks(values, first - second)
    for draw in range(6):
        samples = [
            np.repeat(values, np.round(weights[:, draw] * size).astype(int))
            for weights, size in ((first, 25), (second, 10))
        ]
        assert found[draw] == pytest.approx(ks(*samples), abs=1e-6)
