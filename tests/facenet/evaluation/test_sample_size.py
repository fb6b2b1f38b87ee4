"""People and pairs of people, not pairs of photos, decide whether a rate can be stated."""

import itertools

import numpy as np
import pytest

from facenet.evaluation.sample_size import LEAST_ERRORS, LEAST_PEOPLE, SampleSize


def test_pairs_of_people_are_counted_once_in_either_order() -> None:
    random = np.random.default_rng(0)
    left, right = random.integers(0, 12, (2, 60))
    size = SampleSize.of(left, right)
    assert size.people == len({*left.tolist(), *right.tolist()})
    assert size.people_pairs == len({frozenset(pair) for pair in zip(left, right, strict=True)})


def test_six_thousand_pairs_of_ten_people_support_no_rate() -> None:
    """The sample that promised one false accept in ten and had every second one."""
    pairs = np.array(list(itertools.combinations(range(10), 2)) * 134)[:6000]
    size = SampleSize.of(pairs[:, 0], pairs[:, 1])
    assert (size.people, size.people_pairs) == (10, 45)
    for far in (None, 0.1, 0.5):
        assert size.shortage(far) == f"measured on 10 people; at least {LEAST_PEOPLE} are needed"


@pytest.mark.parametrize(("far", "needed"), [(0.1, 300), (0.01, 3000), (0.001, 30_000)])
def test_thirty_expected_errors_among_pairs_of_people(far: float, needed: int) -> None:
    assert LEAST_ERRORS / far == pytest.approx(needed)
    assert SampleSize(LEAST_PEOPLE, needed).shortage(far) is None
    shortage = SampleSize(LEAST_PEOPLE, needed - 1).shortage(far)
    assert shortage is not None
    assert f"{needed - 1:,} pairs of people" in shortage
    assert f"needs at least {needed:,}" in shortage


@pytest.mark.parametrize(("people", "far"), [(24, 0.01), (24, 0.1), (3, 0.5), (100, 0.001), (78, 0.01)])
def test_the_missing_people_support_the_rate_and_one_fewer_does_not(people: int, far: float) -> None:
    size = SampleSize(people, people * (people - 1) // 2)
    more, pairs = size.missing(far)

    def enough(total: int) -> bool:
        return SampleSize(total, total * (total - 1) // 2).shortage(far) is None

    assert enough(people + more)
    assert more == 0 or not enough(people + more - 1)
    assert pairs == (people + more) * (people + more - 1) // 2 - size.people_pairs
