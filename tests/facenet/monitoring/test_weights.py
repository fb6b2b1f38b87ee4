"""Bootstrap samples as weights."""

import numpy as np
import pytest

from facenet.monitoring.weights import resampled_weights


def test_each_draw_is_a_sample_of_that_size_with_replacement() -> None:
    weights = resampled_weights(30, 12, 200, np.random.default_rng(0))
    counts = weights * 12
    assert weights.shape == (30, 200)
    assert counts == pytest.approx(np.round(counts), abs=1e-4)
    assert counts.sum(axis=0) == pytest.approx(np.full(200, 12.0), abs=1e-4)
    assert counts.max() > 1
    # The variance of a multinomial count: n p (1 - p).
    assert counts.var() == pytest.approx(12 / 30 * 29 / 30, rel=0.1)
