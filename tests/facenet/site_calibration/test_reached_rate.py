"""The variance against loops, and the coverage of the intervals against simulated people."""

import numpy as np
import pytest

from facenet.site_calibration.reached_rate import effective_pairs, jackknife_variance, reached_rate


def symmetric(people: int, seed: int = 0) -> np.ndarray:
    upper = np.triu(np.random.default_rng(seed).random((people, people)), 1)
    return upper + upper.T


@pytest.mark.parametrize("weighted", [False, True])
def test_the_jackknife_leaves_out_one_person_with_all_pairs(weighted: bool) -> None:
    people = 7
    accepted, weights = symmetric(people), symmetric(people, 1) if weighted else 1 - np.eye(people)
    means = []
    for person in range(people):
        left = [other for other in range(people) if other != person]
        cells = np.ix_(left, left)
        means.append((accepted[cells] * weights[cells]).sum() / weights[cells].sum())
    expected = (people - 1) / people * sum((mean - np.mean(means)) ** 2 for mean in means)
    assert jackknife_variance(accepted, weights if weighted else None) == pytest.approx(expected)


def test_one_person_who_resembles_everybody_is_worth_less_than_scattered_pairs() -> None:
    people, rate = 24, 23 / 276
    lamb, scattered = np.zeros((people, people)), np.zeros((people, people))
    lamb[0, 1:] = lamb[1:, 0] = 1
    for first in range(people):  # a circle: everybody resembles two others
        second = (first + 1) % people
        scattered[first, second] = scattered[second, first] = 1
    assert effective_pairs(lamb, rate) < 30 < 276 < effective_pairs(scattered, rate)
    wide, narrow = (reached_rate(found, np.full(people, 4)) for found in (lamb, scattered))
    assert wide.rate == pytest.approx(23 / 276)
    assert wide.group[1] - wide.group[0] > 1.5 * (narrow.group[1] - narrow.group[0])


def test_without_a_false_accept_the_interval_begins_at_zero_and_ends_near_three_over_n() -> None:
    none = reached_rate(np.zeros((24, 24)), np.full(24, 4))
    assert (none.rate, none.group[0], none.long_run[0]) == (0, 0, 0)
    assert none.trials == pytest.approx(276 * 0.8975, rel=1e-3)
    assert none.long_run[1] == pytest.approx(1 - 0.025 ** (1 / none.trials), rel=1e-2)
    everything = reached_rate(1 - np.eye(24), np.full(24, 4))
    assert (everything.rate, everything.group[1]) == (1, 1)
    assert everything.group[0] > 0.95


def test_uneven_numbers_of_photos_widen_the_interval_of_a_group() -> None:
    accepted = (symmetric(24) < 0.05).astype(float) - np.eye(24)
    even, uneven = reached_rate(accepted, np.full(24, 4)), reached_rate(accepted, np.array([200] + [4] * 23))
    assert even.long_run == uneven.long_run
    assert uneven.group[1] > 1.3 * even.group[1]


def test_the_rate_of_other_people_lies_in_the_intervals() -> None:
    """People with similar faces in common: distances with a normal effect of each person."""
    random = np.random.default_rng(3)
    for people, far in ((24, 0.1), (24, 0.01), (40, 0.01)):
        inside = {"group": 0, "long_run": 0}
        everybody = similar(random, 500)
        for _ in range(200):
            mine, theirs = similar(random, people), similar(random, people)
            pairs = mine[np.triu_indices(people, 1)]
            threshold = np.sort(pairs)[int(far * len(pairs))]
            found = reached_rate((mine < threshold) * 1.0, np.full(people, 4), target=far)
            for name, others in (("group", theirs), ("long_run", everybody)):
                low, high = getattr(found, name)
                rate = (others[np.triu_indices(len(others), 1)] < threshold).mean()
                inside[name] += low <= rate <= high
        assert inside["group"] >= 184, (people, far)
        assert inside["long_run"] >= 180, (people, far)


def similar(random: np.random.Generator, people: int) -> np.ndarray:
    effect = 0.3 * random.normal(size=people)
    upper = np.triu(random.normal(size=(people, people)) + effect[:, None] + effect, 1)
    return upper + upper.T + np.diag(np.full(people, np.inf))
