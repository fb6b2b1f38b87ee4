from itertools import combinations

import numpy as np
import pytest

from facenet.mining import offline
from facenet.mining.offline import (
    Indices,
    PositivePairs,
    anchor_positive_pairs,
    labelled_pairs,
    random_negatives,
    semihard_negatives,
)


def rng(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


def random_labels(seed: int) -> Indices:
    random = rng(seed)
    return random.integers(0, random.integers(1, 8), size=random.integers(0, 25)).astype(np.int64) * 3


def naive_pairs(labels: Indices) -> set[tuple[int, int]]:
    return {(i, j) for i, j in combinations(range(len(labels)), 2) if labels[i] == labels[j]}


def as_set(rows: Indices) -> set[tuple[int, int]]:
    return {(int(a), int(b)) for a, b in rows}


def test_all_anchor_positive_pairs_against_a_loop_in_100_random_cases() -> None:
    for seed in range(100):
        labels = random_labels(seed)
        pairs = anchor_positive_pairs(labels, max_rows=10**6, rng=rng())
        assert as_set(pairs) == naive_pairs(labels)
        assert len(pairs) == len(PositivePairs(labels)) == len(naive_pairs(labels))


def test_pair_numbers_hold_for_a_person_with_very_many_photos() -> None:
    count = 200_000
    pairs = PositivePairs(np.zeros(count, dtype=np.int64))
    assert len(pairs) == count * (count - 1) // 2
    last = len(pairs) - 1
    for later in (1, 2, 1000, 65_537, count - 1):
        first = later * (later - 1) // 2
        numbers = np.array([first, first + later - 1], dtype=np.int64)
        assert pairs.rows(numbers).tolist() == [[0, later], [later - 1, later]]
    assert pairs.rows(np.array([last])).tolist() == [[count - 2, count - 1]]


def test_a_sample_has_no_repeats_and_follows_the_seed() -> None:
    labels = np.repeat(np.arange(5), 9)
    pairs = anchor_positive_pairs(labels, max_rows=50, rng=rng(1))
    assert len(as_set(pairs)) == 50
    assert as_set(pairs) < naive_pairs(labels)
    np.testing.assert_array_equal(pairs, anchor_positive_pairs(labels, max_rows=50, rng=rng(1)))
    assert as_set(pairs) != as_set(anchor_positive_pairs(labels, max_rows=50, rng=rng(2)))


def test_negatives_are_other_people_drawn_evenly() -> None:
    labels = np.array([5, 2, 5, 9, 2, 2])
    anchors = np.repeat(np.arange(6), 3000)
    negatives = random_negatives(labels, anchors, rng=rng())
    assert (labels[anchors] != labels[negatives]).all()
    for anchor in range(6):
        others = np.flatnonzero(labels != labels[anchor])
        counts = np.bincount(negatives[anchors == anchor], minlength=6)[others]
        assert np.allclose(counts, 3000 / len(others), rtol=0.15)
    np.testing.assert_array_equal(negatives, random_negatives(labels, anchors, rng=rng()))


def test_there_is_no_negative_for_one_person() -> None:
    with pytest.raises(ValueError, match="only one person"):
        random_negatives(np.zeros(3, dtype=np.int64), np.array([0]), rng=rng())
    assert len(random_negatives(np.zeros(3, dtype=np.int64), np.empty(0, dtype=np.int64), rng=rng())) == 0


@pytest.mark.parametrize("elements", [1, 50, offline.CHUNK_ELEMENTS])
def test_semihard_negatives_against_a_loop_in_100_random_cases(
    elements: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(offline, "CHUNK_ELEMENTS", elements)
    found = missing = 0
    for seed in range(100):
        labels = random_labels(seed)
        embeddings = rng(seed).normal(size=(len(labels), 3)).astype(np.float32)
        embeddings /= np.linalg.norm(embeddings, axis=1, keepdims=True)
        pairs = anchor_positive_pairs(labels, max_rows=40, rng=rng(seed))
        negatives = semihard_negatives(embeddings, labels, pairs, margin=0.2, rng=rng(seed))
        for (a, p), negative in zip(pairs, negatives, strict=True):
            d_ap = np.square(embeddings[a] - embeddings[p]).sum()
            d_an = np.square(embeddings[a] - embeddings).sum(axis=1)
            allowed = [
                n for n in range(len(labels)) if labels[n] != labels[a] and d_ap < d_an[n] < d_ap + 0.2
            ]
            assert negative in allowed if allowed else negative == -1
            found, missing = found + bool(allowed), missing + (not allowed)
    assert found > 100
    assert missing > 100


def test_semihard_draws_are_even_and_do_not_depend_on_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    angles = np.array([0, 0.1, 0.2, 0.25, 0.3, 3.0])
    embeddings = np.stack([np.cos(angles), np.sin(angles)], axis=1).astype(np.float32)
    labels, pairs = np.array([0, 0, 1, 2, 3, 4]), np.repeat([[0, 1]], 3000, axis=0)
    drawn = semihard_negatives(embeddings, labels, pairs, margin=0.2, rng=rng())
    counts = np.bincount(drawn, minlength=6)
    assert counts[[0, 1, 5]].sum() == 0
    assert np.allclose(counts[2:5], 1000, rtol=0.1)
    monkeypatch.setattr(offline, "CHUNK_ELEMENTS", 7)
    np.testing.assert_array_equal(drawn, semihard_negatives(embeddings, labels, pairs, margin=0.2, rng=rng()))


def test_labelled_pairs_are_balanced_distinct_and_true_in_100_random_cases() -> None:
    for seed in range(100):
        labels = random_labels(seed)
        rows, same = labelled_pairs(labels, max_rows=30, rng=rng(seed))
        positive = naive_pairs(labels)
        negative = set(combinations(range(len(labels)), 2)) - positive
        assert len(rows) == 2 * min(len(positive), len(negative), 15)
        assert as_set(rows[same]) <= positive
        assert as_set(rows[~same]) <= negative
        assert len(as_set(rows)) == len(rows)
        assert 2 * same.sum() == len(rows)
        assert sorted(rows.tolist()) == rows.tolist()
        again = labelled_pairs(labels, max_rows=30, rng=rng(seed))
        np.testing.assert_array_equal(rows, again[0])
        np.testing.assert_array_equal(same, again[1])


def test_all_different_pairs_can_be_drawn() -> None:
    labels = np.array([0] * 12 + [1] * 2)
    rows, same = labelled_pairs(labels, max_rows=1000, rng=rng())
    assert as_set(rows[~same]) == {(i, j) for i in range(12) for j in (12, 13)}
