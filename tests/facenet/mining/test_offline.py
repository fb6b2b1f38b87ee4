from itertools import combinations

import numpy as np
import pytest

from facenet.mining import offline
from facenet.mining.offline import (
    Indices,
    PositivePairs,
    anchor_positive_pairs,
    hardest_pairs,
    labelled_pairs,
    mine_negatives,
    random_negatives,
    remine,
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


def test_a_sample_takes_from_those_with_most_pairs_in_100_random_cases() -> None:
    for seed in range(100):
        labels = random_labels(seed)
        total = len(PositivePairs(labels))
        count = int(rng(seed).integers(0, total + 1))
        pairs = anchor_positive_pairs(labels, max_rows=count, rng=rng(seed))
        assert len(as_set(pairs)) == len(pairs) == count
        for person in np.unique(labels):
            possible = sum(labels[a] == person for a, _ in naive_pairs(labels))
            taken = (labels[pairs[:, 0]] == person).sum()
            if taken < possible:  # then nobody has two more
                assert np.bincount(labels[pairs[:, 0]]).max(initial=0) <= taken + 1


def test_every_pair_of_a_person_is_drawn_as_often() -> None:
    labels = np.repeat([3, 8], [2, 5])
    seen = np.zeros((7, 7), dtype=np.int64)
    for seed in range(2000):
        pairs = anchor_positive_pairs(labels, max_rows=4, rng=rng(seed))
        seen[tuple(pairs.T)] += 1
    assert seen[0, 1] == 2000  # who has one pair keeps it
    ten = seen[2:, 2:][np.triu_indices(5, 1)]
    assert np.allclose(ten, 600, rtol=0.15)


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


@pytest.mark.parametrize("strategy", ["semihard", "hard", "vgg", "farther"])
@pytest.mark.parametrize("elements", [1, 50, offline.CHUNK_ELEMENTS])
def test_negatives_of_each_strategy_against_a_loop_in_100_random_cases(
    elements: int, strategy: offline.Strategy, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(offline, "CHUNK_ELEMENTS", elements)
    found = missing = 0
    for seed in range(100):
        labels = random_labels(seed)
        embeddings = rng(seed).normal(size=(len(labels), 3)).astype(np.float32)
        embeddings /= np.linalg.norm(embeddings, axis=1, keepdims=True) if seed % 2 else 2
        pairs = anchor_positive_pairs(labels, max_rows=40, rng=rng(seed))
        negatives = mine_negatives(embeddings, labels, pairs, strategy=strategy, margin=0.2, rng=rng(seed))
        for (a, p), negative in zip(pairs, negatives, strict=True):
            d_ap = np.square(embeddings[a] - embeddings[p]).sum()
            d_an = np.square(embeddings[a] - embeddings).sum(axis=1)
            others = [n for n in range(len(labels)) if labels[n] != labels[a]]
            if strategy == "farther":
                beyond = [n for n in others if d_an[n] > d_ap]
                allowed = [min(beyond, key=lambda n: d_an[n])] if beyond else []
            else:
                least = d_ap if strategy == "semihard" else -1
                most = d_ap if strategy == "hard" else d_ap + 0.2
                allowed = [n for n in others if least < d_an[n] < most]
            assert negative in allowed if allowed else negative == -1
            found, missing = found + bool(allowed), missing + (not allowed)
    assert found > 100
    assert missing > 100


def test_semihard_draws_are_even_and_do_not_depend_on_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    angles = np.array([0, 0.1, 0.2, 0.25, 0.3, 3.0])
    embeddings = np.stack([np.cos(angles), np.sin(angles)], axis=1).astype(np.float32)
    labels, pairs = np.array([0, 0, 1, 2, 3, 4]), np.repeat([[0, 1]], 3000, axis=0)
    drawn = mine_negatives(embeddings, labels, pairs, strategy="semihard", margin=0.2, rng=rng())
    counts = np.bincount(drawn, minlength=6)
    assert counts[[0, 1, 5]].sum() == 0
    assert np.allclose(counts[2:5], 1000, rtol=0.1)
    monkeypatch.setattr(offline, "CHUNK_ELEMENTS", 7)
    again = mine_negatives(embeddings, labels, pairs, strategy="semihard", margin=0.2, rng=rng())
    np.testing.assert_array_equal(drawn, again)


def test_long_embeddings_are_compared_as_precisely_as_short_ones() -> None:
    labels = np.repeat(np.arange(5), 4)
    near = rng(3).integers(-64, 64, (20, 3)).astype(np.float32) / 128
    pairs = anchor_positive_pairs(labels, max_rows=10**6, rng=rng())
    for strategy in ("semihard", "vgg", "farther"):
        short, long = (
            mine_negatives(near + offset, labels, pairs, strategy=strategy, margin=0.2, rng=rng(1))
            for offset in (np.float32(0), np.float32(1024))
        )
        np.testing.assert_array_equal(short, long)


def test_triplets_of_an_epoch_against_a_loop_in_100_random_cases() -> None:
    skipped = 0
    for seed in range(100):
        labels = random_labels(seed)
        embeddings = (rng(seed).normal(size=(len(labels), 3)) / 2).astype(np.float32)
        triplets = remine(embeddings, labels, margin=0.2, max_rows=10**6, rng=rng(seed))
        found = {(a, p): n for a, p, n in triplets.tolist()}
        assert len(found) == len(triplets)
        for a, p in naive_pairs(labels):
            d_ap = np.square(embeddings[a] - embeddings[p]).sum()
            d_an = np.square(embeddings[a] - embeddings).sum(axis=1)
            others = [n for n in range(len(labels)) if labels[n] != labels[a]]
            semihard = [n for n in others if d_ap < d_an[n] < d_ap + 0.2]
            if semihard:
                assert found.pop((a, p)) in semihard
            else:
                skipped += 1
        assert not found
    assert skipped > 50


def test_triplets_of_an_epoch_are_shuffled_sampled_and_of_its_embeddings() -> None:
    labels = np.repeat(np.arange(6), 6)
    embeddings = rng(0).normal(size=(36, 2)).astype(np.float32)
    triplets = remine(embeddings, labels, margin=1.0, max_rows=10**6, rng=rng(1))
    assert sorted(triplets.tolist()) != triplets.tolist()
    np.testing.assert_array_equal(
        triplets, remine(embeddings, labels, margin=1.0, max_rows=10**6, rng=rng(1))
    )
    assert len(remine(embeddings, labels, margin=1.0, max_rows=20, rng=rng(1))) <= 20
    moved = rng(7).normal(size=(36, 2)).astype(np.float32)
    later = remine(moved, labels, margin=1.0, max_rows=10**6, rng=rng(1))
    assert {tuple(t) for t in later.tolist()} != {tuple(t) for t in triplets.tolist()}


@pytest.mark.parametrize("labels", [[], [3], [3, 3], [1, 2]])
def test_an_epoch_may_have_no_triplet(labels: list[int]) -> None:
    embeddings = np.zeros((len(labels), 2), dtype=np.float32)
    triplets = remine(embeddings, np.array(labels, dtype=np.int64), margin=0.2, max_rows=9, rng=rng())
    assert triplets.shape == (0, 3)


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


def test_hardest_pairs_of_equals_are_the_first_and_missing_ones_are_minus_one() -> None:
    labels = np.array([0, 0, 0, 1, 1])
    points = np.array([[0], [1], [-1], [3], [3]], dtype=np.float32)
    positives, negatives = hardest_pairs(points, labels, np.arange(5))
    assert positives.tolist() == [1, 2, 1, 4, 3]
    assert negatives.tolist() == [3, 3, 3, 1, 1]
    assert hardest_pairs(points, np.zeros(5, int), np.array([0]))[1].tolist() == [-1]
    assert hardest_pairs(points, np.arange(5), np.array([2]))[0].tolist() == [-1]


def test_hardest_pairs_do_not_depend_on_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    labels = np.repeat(np.arange(6), 5)
    points = np.random.default_rng(0).normal(size=(30, 4)).astype(np.float32)
    whole = hardest_pairs(points, labels, np.arange(30))
    monkeypatch.setattr(offline, "CHUNK_ELEMENTS", 70)
    for one, other in zip(whole, hardest_pairs(points, labels, np.arange(30)), strict=True):
        assert one.tolist() == other.tolist()
