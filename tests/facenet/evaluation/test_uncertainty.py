"""Intervals against published values and simulation."""

import numpy as np
import pytest

from facenet.evaluation.uncertainty import folds_interval, standard_error, wilson_interval


def test_wilson_of_a_published_example() -> None:
    """Newcombe, Statistics in Medicine 17, 1998, table I: 81 of 263, 15 of 148, 0 of 20, 1 of 29."""
    for successes, total, low, high in (
        (81, 263, 0.2553, 0.3662),
        (15, 148, 0.0624, 0.1605),
        (0, 20, 0.0, 0.1611),
        (1, 29, 0.0061, 0.1718),
    ):
        assert wilson_interval(successes, total) == (
            pytest.approx(low, abs=5e-5),
            pytest.approx(high, abs=5e-5),
        )


def test_wilson_covers_the_truth() -> None:
    draws = np.random.default_rng(0).binomial(1000, 0.87, 2000)
    covered = [low <= 0.87 <= high for low, high in (wilson_interval(int(d), 1000) for d in draws)]
    assert 0.935 < np.mean(covered) < 0.965


def test_wilson_at_the_ends() -> None:
    assert wilson_interval(10, 10)[1] == 1
    assert wilson_interval(0, 10)[0] == 0
    with pytest.raises(ValueError, match="trial"):
        wilson_interval(0, 0)


def test_standard_error_uses_the_sample_standard_deviation() -> None:
    assert standard_error([0.9, 1.0]) == pytest.approx(0.05)


def test_folds_interval_is_students_t() -> None:
    """Mean 0.9 and standard error 0.01 over ten folds: 2.2622 standard errors either way."""
    spread = 0.01 * np.sqrt(10) * np.sqrt(0.9)
    low, high = folds_interval([0.9 - spread, 0.9 + spread] * 5)
    assert (low, high) == (pytest.approx(0.9 - 0.022622, abs=1e-6), pytest.approx(0.9 + 0.022622, abs=1e-6))


def test_folds_interval_is_clipped() -> None:
    assert folds_interval([1.0, 1.0, 0.9])[1] == 1
