"""Shares, scores and times of a day against those of earlier days."""

import numpy as np
import pytest
from scipy.stats import hypergeom

from facenet.monitoring.earlier_days import compare_distributions, compare_medians, compare_shares

BOUNDS = {"rate": 0.01, "least": 0.05, "least_rows": 50}


def test_a_share_that_changed() -> None:
    check = compare_shares("no match", (155, 500), (100, 5000), **BOUNDS)  # type: ignore[arg-type]
    assert check.verdict == "alarm"
    assert (check.usual, check.found) == (0.02, 0.31)
    assert check.value == pytest.approx(0.29)


def test_the_probability_is_that_of_fishers_test() -> None:
    """Summed over all tables with these margins that are not likelier than the one found."""
    check = compare_shares("no match", (9, 60), (4, 90), **BOUNDS)  # type: ignore[arg-type]
    tables = hypergeom(150, 13, 60)
    chances = tables.pmf(np.arange(14))
    assert check.p == pytest.approx(chances[chances <= tables.pmf(9) * (1 + 1e-9)].sum())


@pytest.mark.parametrize("count", [10, 30])  # 0.06 is significant, but only 0.04 from 0.02
def test_a_small_change_is_no_alarm(count: int) -> None:
    assert compare_shares("no match", (count, 500), (100, 5000), **BOUNDS).verdict == "ok"  # type: ignore[arg-type]


def test_few_rows_and_no_earlier_days() -> None:
    few = compare_shares("no match", (9, 10), (100, 5000), **BOUNDS)  # type: ignore[arg-type]
    first = compare_shares("no match", (9, 500), (0, 0), **BOUNDS)  # type: ignore[arg-type]
    assert (few.verdict, first.verdict) == ("too few", "no reference")
    assert compare_distributions("score", [1.0] * 60, [], rate=0.01, least_rows=50).verdict == "no reference"
    assert compare_medians("latency", [1.0] * 6, [1.0] * 60, rate=0.01, least_rows=50).verdict == "too few"


def test_scores_that_changed() -> None:
    rng = np.random.default_rng(1)
    before, shifted = rng.normal(0.4, 0.1, 3000), rng.normal(0.45, 0.1, 500)
    found = compare_distributions("score", shifted, before, rate=0.001, least_rows=50)
    same = compare_distributions("score", rng.normal(0.4, 0.1, 500), before, rate=0.001, least_rows=50)
    assert (found.verdict, same.verdict) == ("alarm", "ok")
    assert found.p is not None
    assert found.p < 1e-6


def test_answers_that_take_longer() -> None:
    rng = np.random.default_rng(1)
    before = rng.lognormal(3, 0.5, 2000)
    verdicts = [
        compare_medians(
            "latency", factor * rng.lognormal(3, 0.5, 300), before, rate=0.001, least_rows=50
        ).verdict
        for factor in (0.2, 1, 1.5, 3)
    ]
    assert verdicts == ["ok", "ok", "ok", "alarm"]
