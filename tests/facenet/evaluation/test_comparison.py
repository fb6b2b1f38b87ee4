"""The paired comparison against its definition."""

from math import comb

import numpy as np
import pytest

from facenet.evaluation.comparison import compare, mcnemar


@pytest.mark.parametrize(("one", "other"), [(0, 0), (3, 3), (1, 9), (9, 1), (0, 5), (40, 60)])
def test_mcnemar_is_the_two_sided_binomial_test(one: int, other: int) -> None:
    total, few = one + other, min(one, other)
    tail = sum(comb(total, heads) for heads in range(few + 1)) / 2**total
    assert mcnemar(one, other) == pytest.approx(min(1.0, 2 * tail))


def sample(gain: float) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    random, count = np.random.default_rng(2), 1200
    people = np.arange(count) // 4
    other = np.where(np.arange(count) % 2 == 0, people, (people + 7) % 300)
    old = random.random(count) < 0.9
    new = np.where(random.random(count) < gain, True, old)
    return new, old, people == other, people, other


def test_equal_decisions_do_not_differ() -> None:
    new, _, same, left, right = sample(0)
    found = compare(new, new, same, left, right, draws=50)
    assert (found.difference, found.interval, found.p_value) == (0, (0, 0), 1)


def test_a_gain_is_significant_and_its_mirror_is_a_loss() -> None:
    new, old, same, left, right = sample(0.4)
    gain = compare(new, old, same, left, right, draws=400, seed=1)
    assert gain.difference == pytest.approx((new.sum() - old.sum()) / 1200)
    assert gain.interval[0] > 0
    assert gain.interval[0] < gain.difference < gain.interval[1]
    assert gain.p_value < 1e-6
    assert (gain.only_old, gain.pairs) == (0, 1200)
    loss = compare(old, new, same, left, right, draws=400, seed=1)
    assert loss.interval == pytest.approx((-gain.interval[1], -gain.interval[0]))
    assert loss.p_value == gain.p_value
