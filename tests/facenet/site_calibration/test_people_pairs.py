"""Pairs and weights against loops over photos and people."""

import itertools

import numpy as np
import pytest

from facenet.evaluation.distances import cross_distances, unit_rows
from facenet.site_calibration.people_pairs import chosen_rows, people_pairs

OWNERS = ["bo", "ann", "bo", "cem", "ann", "ann"]


def templates(owners: list[str], seed: int = 0) -> np.ndarray:
    return unit_rows(np.random.default_rng(seed).normal(size=(len(owners), 8)))


def test_pairs_are_those_of_a_loop() -> None:
    rows = templates(OWNERS)
    pairs = people_pairs(rows, OWNERS, "cosine")
    distances = cross_distances(rows, rows, "cosine")
    names = sorted(set(OWNERS))
    different, same = [], []
    for a, b in itertools.combinations(range(len(OWNERS)), 2):
        low, high = sorted((names.index(OWNERS[a]), names.index(OWNERS[b])))
        (same if low == high else different).append((low, high, np.float32(distances[a, b])))
    assert list(zip(pairs.left, pairs.right, pairs.different, strict=True)) == different
    assert list(zip(pairs.same_people, pairs.same_people, pairs.same, strict=True)) == same
    assert pairs.photos.tolist() == [3, 2, 1]
    assert (pairs.people, pairs.people_pairs) == (3, 3)


def test_every_two_people_weigh_the_same_in_the_accepted_rates() -> None:
    pairs = people_pairs(templates(OWNERS), OWNERS, "cosine")
    threshold = float(np.median(pairs.different))
    expected = np.zeros((3, 3))
    for first, second in itertools.combinations(range(3), 2):
        inside = (pairs.left == first) & (pairs.right == second)
        expected[first, second] = expected[second, first] = (pairs.different[inside] < threshold).mean()
    np.testing.assert_allclose(pairs.accepted(threshold), expected)
    assert pairs.different_weights().sum() == pytest.approx(pairs.people_pairs)
    assert pairs.same_weights().sum() == pytest.approx(2)  # cem has one photo
    own = [(pairs.same[pairs.same_people == person] < 0.9).mean() for person in (0, 1)]
    assert pairs.true_accept_rate(0.9) == pytest.approx(np.mean(own))
    alone = people_pairs(templates(["a", "b"]), ["a", "b"], "cosine")
    assert np.isnan(alone.true_accept_rate(0.9))


def test_of_too_many_photos_everyone_keeps_as_many_as_fit() -> None:
    owners = [name for name, count in (("a", 50), ("b", 3), ("c", 1), ("d", 20)) for _ in range(count)]
    assert chosen_rows(owners).tolist() == list(range(74))
    rows = chosen_rows(owners, largest=24)
    kept = [owners[row] for row in rows]
    assert {name: kept.count(name) for name in "abcd"} == {"a": 10, "b": 3, "c": 1, "d": 10}
    assert rows.tolist() == sorted(rows) == chosen_rows(owners, largest=24).tolist()
    assert rows.tolist() != chosen_rows(owners, largest=24, seed=1).tolist()


def test_of_too_many_people_some_keep_two_photos() -> None:
    owners = [f"{person}" for person in range(100) for _ in range(3)]
    kept = [owners[row] for row in chosen_rows(owners, largest=40)]
    assert len(kept) == 40
    assert {kept.count(name) for name in set(kept)} == {2}
