"""False alarms stay below their rate, changes are found, and few rows are said to be few."""

import numpy as np
import pytest
from scipy.special import ndtri

from facenet.monitoring.check import Check
from facenet.monitoring.drift import JOINT, alarm_levels, compare

NAMES = ("side", "sharpness", "brightness")
CORRELATED = np.array([[1, 0.8, 0], [0.8, 1, 0], [0, 0, 1.0]])


def rows(count: int, seed: int) -> np.ndarray:
    return np.random.default_rng(seed).multivariate_normal([0, 0, 0], CORRELATED, count)


def checked(day: np.ndarray, rate: float = 0.01, seed: int = 0) -> list[Check]:
    return compare(NAMES, rows(400, 99), day, rate=rate, seed=seed, least_rows=50)


def alarms(found: list[Check]) -> set[str]:
    return {check.name for check in found if check.verdict == "alarm"}


def test_false_alarms_of_all_checks_together_stay_below_the_rate() -> None:
    """With a rate of 0.2, 60 days without a change have 12 alarms; 20 is beyond the 99.5th percentile."""
    days = [alarms(checked(rows(120, seed), rate=0.2, seed=seed)) for seed in range(60)]
    assert 1 <= sum(map(bool, days)) <= 20


def test_a_change_is_found_where_it_is() -> None:
    assert alarms(checked(rows(500, 1))) == set()
    assert alarms(checked(rows(500, 1) + np.array([0, 0, 0.5]))) == {"brightness", JOINT}
    assert alarms(checked(rows(500, 1) * (1, -1, 1))) == {JOINT}  # only the dependence has changed


def test_levels_are_larger_for_fewer_rows() -> None:
    few, many = (checked(rows(count, 1))[0].level for count in (60, 800))
    assert few is not None
    assert many is not None
    assert few > 1.5 * many


def test_a_change_that_is_significant_but_small_is_no_alarm() -> None:
    names, reference = ("side",), ndtri(np.linspace(0, 1, 2002)[1:-1])[:, None]
    found = compare(names, reference, reference + 0.15, rate=0.05, seed=0, least_rows=50)
    assert [check.level for check in found] == [0.1, 0.1]
    assert alarms(found) == set()
    assert [check.statistic for check in found] == ["ks", "psi"]  # one quantity has nothing joint


def test_too_few_rows() -> None:
    found = checked(rows(49, 1))
    assert {check.verdict for check in found} == {"too few"}
    assert {(check.rows, check.reference_rows) for check in found} == {(49, 400)}
    assert len(found) == 2 * len(NAMES) + 1


def test_the_same_seed_gives_the_same_levels() -> None:
    assert checked(rows(200, 1)) == checked(rows(200, 1))
    assert checked(rows(200, 1), seed=1)[0].level != checked(rows(200, 1))[0].level
    assert checked(rows(4000, 1))[0].rows == 2000


def test_any_statistic_exceeds_its_level_at_the_rate() -> None:
    drawn = np.random.default_rng(5).normal((1, 100), (1, 20), (4000, 2))
    drawn[:, 1] = 0.5 * drawn[:, 1] + 10 * drawn[:, 0]
    levels = alarm_levels(drawn, 0.05)
    assert (drawn > levels).any(axis=1).mean() == pytest.approx(0.05, abs=0.001)
    assert alarm_levels(np.ones((50, 2)), 0.1).tolist() == [1, 1]
