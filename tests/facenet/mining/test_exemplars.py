from itertools import combinations

import numpy as np
import pytest

from facenet.errors import DataInvalid
from facenet.mining.exemplars import (
    ExemplarMiner,
    hardest_triplets,
    sample_exemplars,
    sample_people,
    select_triplets,
)
from facenet.mining.offline import Embeddings, Indices


def rng(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


def random_labels(seed: int, least: int = 0) -> Indices:
    random = rng(seed)
    return random.integers(0, random.integers(1, 8), size=random.integers(least, 40)).astype(np.int64) * 3


def random_embeddings(seed: int, count: int) -> Embeddings:
    return (rng(seed).normal(size=(count, 3)) * 0.6).astype(np.float32)


def test_people_come_in_turn_until_the_sample_is_full_in_100_random_cases() -> None:
    for seed in range(100):
        labels, images, total = random_labels(seed), 1 + seed % 5, 1 + seed % 17
        rows = sample_people(labels, images=images, total=total, rng=rng(seed))
        assert len(np.unique(rows)) == len(rows)
        _, counts = np.unique(labels, return_counts=True)
        assert len(rows) == min(total, np.minimum(counts, images).sum())
        runs = [list(run) for run in np.split(labels[rows], np.flatnonzero(np.diff(labels[rows])) + 1)]
        if len(rows):
            assert len(runs) == len(np.unique(labels[rows]))  # a person's photos stand together
            for run in runs[:-1]:  # the last one may be cut short
                assert len(run) == min(images, (labels == run[0]).sum())
        np.testing.assert_array_equal(rows, sample_people(labels, images=images, total=total, rng=rng(seed)))


def test_people_and_photos_are_drawn_evenly() -> None:
    labels = np.repeat(np.arange(4), [1, 2, 8, 8])
    first = [sample_people(labels, images=2, total=2, rng=rng(seed))[0] for seed in range(2000)]
    people = np.bincount(labels[first], minlength=4)
    assert np.allclose(people, 500, rtol=0.15)
    photos = np.bincount(first, minlength=len(labels))[11:]
    assert np.allclose(photos, people[3] / 8, rtol=0.4)


def test_exemplars_are_people_with_two_photos_and_then_anyone_else_in_100_random_cases() -> None:
    for seed in range(100):
        labels, people, images, total = random_labels(seed), 1 + seed % 3, 1 + seed % 6, 1 + seed % 30
        rows = sample_exemplars(labels, people=people, images=images, total=total, rng=rng(seed))
        assert len(np.unique(rows)) == len(rows) <= total
        names, counts = np.unique(labels, return_counts=True)
        usable = names[counts >= 2]
        chosen = list(dict.fromkeys(labels[rows].tolist()))[: min(people, len(usable))]
        head = [name for name in chosen if name in usable]
        own = [row for row in rows if labels[row] in head]
        assert len(own) <= len(head) * images
        if len(rows) < total:  # everybody else is in
            assert len(rows) - len(own) == (~np.isin(labels, head)).sum()


def naive_triplets(
    embeddings: Embeddings, labels: Indices, anchors: Indices, strategy: str, margin: float
) -> dict[tuple[int, int], list[int]]:
    """The negatives that each pair may have, by loops."""
    allowed = {}
    for a, p in combinations(range(len(labels)), 2):
        if labels[a] != labels[p] or labels[a] not in anchors:
            continue
        distances = np.square(embeddings[a] - embeddings).sum(axis=1).tolist()
        for n, d_an in enumerate(distances):
            semihard = strategy == "vgg" or d_an > distances[p]
            if labels[n] != labels[a] and semihard and d_an < distances[p] + margin:
                allowed.setdefault((a, p), []).append(n)
    return allowed


@pytest.mark.parametrize("strategy", ["semihard", "vgg"])
def test_selected_triplets_against_a_loop_in_100_random_cases(strategy: str) -> None:
    found = 0
    for seed in range(100):
        labels = random_labels(seed)
        embeddings = random_embeddings(seed, len(labels))
        anchors = np.unique(labels)[: 1 + seed % 3]
        triplets = select_triplets(embeddings, labels, anchors, strategy=strategy, margin=0.2, rng=rng(seed))
        allowed = naive_triplets(embeddings, labels, anchors, strategy, 0.2)
        assert {(a, p) for a, p, _ in triplets.tolist()} == set(allowed)
        assert len(triplets) == len(allowed)
        assert all(n in allowed[a, p] for a, p, n in triplets.tolist())
        found += len(triplets)
    assert found > 500


@pytest.mark.parametrize("selection", ["facenet", "davidsandberg"])
def test_a_round_embeds_its_sample_and_gives_triplets_of_its_people(selection: str) -> None:
    labels = np.repeat(np.arange(12), 7)
    table = random_embeddings(1, len(labels))
    asked: list[tuple[Indices, bool]] = []

    def embed(rows: Indices, *, training: bool) -> Embeddings:
        asked.append((rows, training))
        return table[rows]

    plan = ExemplarMiner(labels=labels, selection=selection, people=3, images=5, total=40, margin=0.4, seed=2)
    triplets = plan.triplets(0, embed)
    ((rows, training),) = asked
    assert len(rows) == 40
    assert not training
    assert len(triplets) > 5
    assert np.isin(triplets, rows).all()
    a, p, n = (labels[column] for column in triplets.T)
    assert (a == p).all()
    assert (a != n).all()
    assert set(a.tolist()) <= set(list(dict.fromkeys(labels[rows].tolist()))[:3])
    d_ap = np.square(table[triplets[:, 0]] - table[triplets[:, 1]]).sum(axis=1)
    d_an = np.square(table[triplets[:, 0]] - table[triplets[:, 2]]).sum(axis=1)
    assert (d_an < d_ap + 0.4).all()
    assert (d_an > d_ap).all() == (selection == "facenet")
    np.testing.assert_array_equal(triplets, plan.triplets(0, embed))
    assert not np.array_equal(rows, (plan.triplets(1, embed), asked[-1][0])[1])


@pytest.mark.parametrize("seed", range(50))
def test_hardest_triplets_against_a_loop(seed: int) -> None:
    random = rng(seed)
    labels = random.integers(0, 6, int(random.integers(2, 30)))
    embeddings = random_embeddings(seed, len(labels))
    anchors = np.unique(labels)[: 1 + seed % 4]
    found = hardest_triplets(embeddings, labels, anchors, rng=random)
    expected = set()
    for a in range(len(labels)):
        square = [float(np.square(embeddings[a].astype(float) - row).sum()) for row in embeddings]
        positives = [i for i in range(len(labels)) if labels[i] == labels[a] and i != a]
        negatives = [i for i in range(len(labels)) if labels[i] != labels[a]]
        if labels[a] in anchors and positives and negatives:
            positive = max(positives, key=lambda i: square[i])
            expected.add((a, positive, min(negatives, key=lambda i: square[i])))
    assert {tuple(triplet) for triplet in found.tolist()} == expected
    assert len(found) == len(expected)


def test_a_round_of_the_hardest_has_one_triplet_per_photo_of_its_people() -> None:
    labels = np.repeat(np.arange(12), 7)
    table = random_embeddings(1, len(labels))
    miner = ExemplarMiner(labels=labels, selection="hardest", people=3, images=5, total=40, seed=2)
    triplets = miner.triplets(1, lambda rows, *, training: table[rows])
    assert len(miner) == len(triplets) == 3 * 5
    assert len(np.unique(triplets[:, 0])) == 15
    assert len(np.unique(labels[triplets[:, 0]])) == 3
    np.testing.assert_array_equal(triplets, miner.triplets(1, lambda rows, *, training: table[rows]))


def test_the_published_numbers_and_the_mode_that_the_source_mines_in() -> None:
    labels = np.repeat(np.arange(60), 50)
    plan = ExemplarMiner(labels=labels, selection="davidsandberg", people=5, seed=0, training=True)
    seen: list[tuple[int, bool]] = []

    def embed(rows: Indices, *, training: bool) -> Embeddings:
        seen.append((len(rows), training))
        assert np.bincount(labels[rows]).max() == 40
        return np.zeros((len(rows), 2), dtype=np.float32)

    triplets = plan.triplets(0, embed)
    assert seen == [(1800, True)]
    assert (
        len(triplets) == 5 * 40 * 39 // 2
    )  # of embeddings that are all one, any negative is within the margin


@pytest.mark.parametrize("labels", [[], [1], [1, 2, 3], [4, 4, 4]])
def test_data_without_a_triplet_are_refused(labels: list[int]) -> None:
    with pytest.raises(DataInvalid, match="needs at least two people"):
        ExemplarMiner(labels=np.array(labels, dtype=np.int64), selection="facenet", people=2, seed=0)


def test_a_round_may_find_nothing() -> None:
    labels = np.array([0, 0, 1, 1])
    plan = ExemplarMiner(labels=labels, selection="facenet", people=2, total=4, seed=0)
    far = np.array([[0, 0], [0, 0], [9, 9], [9, 9]], dtype=np.float32)
    assert plan.triplets(0, lambda rows, *, training: far[rows]).shape == (0, 3)
