"""Partners of every row, against a loop over all rows that draws from the listed candidates."""

import numpy as np
import pytest

from facenet.mining.offline import Indices
from facenet.mining.partners import partner_counts, partner_pairs
from tests.facenet.mining.test_offline import random_labels, rng

Pair = tuple[int, int]


def candidates(labels: Indices, row: int) -> tuple[list[int], list[int]]:
    """Return the possible same and different partners of a row, by person."""
    others = sorted((row_ for row_ in range(len(labels)) if row_ != row), key=lambda r: (labels[r], r))
    return [r for r in others if labels[r] == labels[row]], [r for r in others if labels[r] != labels[row]]


def naive(labels: Indices, partners: int, seed: int) -> tuple[list[Pair], list[Pair]]:
    """Return the same and the different pairs, drawn row by row in the order of the people."""
    random, same, different = rng(seed), list[Pair](), list[Pair]()
    for row in sorted(range(len(labels)), key=lambda r: (labels[r], r)):
        own, other = candidates(labels, row)
        count = min(partners, len(own), len(other))
        if count:
            same += [(row, own[i]) for i in random.choice(len(own), count, False, shuffle=False)]
            different += [(row, other[i]) for i in random.choice(len(other), count, False, shuffle=False)]
    return sorted(same), sorted(different)


def pairs(labels: Indices, partners: int, seed: int = 0, max_rows: int = 10**6) -> tuple[list[Pair], ...]:
    """Return the same and the different pairs of the function under test, in its order."""
    rows, is_same = partner_pairs(labels, partners=partners, max_rows=max_rows, rng=rng(seed))
    assert rows.shape == (len(is_same), 2)
    assert rows.tolist() == sorted(rows.tolist())
    return tuple([(int(a), int(b)) for a, b in rows[chosen]] for chosen in (is_same, ~is_same))


def test_pairs_against_a_loop_in_100_random_cases() -> None:
    listed = short = 0
    for seed in range(100):
        labels, partners = random_labels(seed), 1 + seed % 4
        same, different = pairs(labels, partners, seed)
        assert (same, different) == naive(labels, partners, seed)
        counts = partner_counts(labels, partners)
        for row in range(len(labels)):
            own, other = ([b for a, b in kind if a == row] for kind in (same, different))
            assert len(own) == len(set(own)) == len(other) == len(set(other)) == counts[row]
            assert set(own) <= set(candidates(labels, row)[0])
            assert set(other) <= set(candidates(labels, row)[1])
            short += 0 < counts[row] < partners
        listed += len(same)
    assert listed > 1000
    assert short > 100


def test_a_sample_takes_from_rows_with_most_partners_and_stays_balanced_in_100_random_cases() -> None:
    dropped = 0
    for seed in range(100):
        labels = random_labels(seed)
        counts = partner_counts(labels, 4)
        most = int(rng(seed).integers(0, 2 * counts.sum() + 3))
        same, different = pairs(labels, 4, seed, most)
        taken, others = (
            np.bincount([a for a, _ in kind], minlength=len(labels)) for kind in (same, different)
        )
        assert taken.tolist() == others.tolist()
        assert len(same) == min(counts.sum(), most // 2)
        lost = taken < counts
        assert taken.max(initial=0) <= min(taken[lost], default=4) + 1
        dropped += int(lost.sum())
    assert dropped > 500


def test_two_photos_of_a_person_are_listed_from_either_side() -> None:
    same, different = pairs(np.array([4, 9, 4, 2]), 5)
    assert same == [(0, 2), (2, 0)]
    assert [a for a, _ in different] == [0, 2]


def test_every_partner_is_drawn_as_often() -> None:
    labels = np.array([3, 8, 3, 8, 3, 8, 8, 1])
    seen = np.zeros((8, 8), dtype=np.int64)
    for seed in range(3000):
        for kind in pairs(labels, 1, seed):
            np.add.at(seen, tuple(np.array(kind).T), 1)
    for row in range(7):
        for partners in candidates(labels, row):
            assert np.allclose(seen[row, partners], 3000 / len(partners), rtol=0.15)
    assert seen[7].sum() == 0


def test_the_seed_decides() -> None:
    labels = np.repeat(np.arange(9), 5)
    assert pairs(labels, 2, 1) == pairs(labels, 2, 1)
    assert pairs(labels, 2, 1) != pairs(labels, 2, 2)
    assert pairs(labels, 2, 1, 50) == pairs(labels, 2, 1, 50)
    assert pairs(labels, 2, 1, 50) != pairs(labels, 2, 2, 50)


@pytest.mark.parametrize("labels", [[], [3], [3, 3], [1, 2]])
def test_there_may_be_no_pair(labels: list[int]) -> None:
    assert pairs(np.array(labels, dtype=np.int64), 2) == ([], [])
