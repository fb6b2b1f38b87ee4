"""Cluster metrics against loops over faces and pairs."""

import itertools

import numpy as np
import pytest

from facenet.identification.clustering import bcubed, cluster, cluster_distances, pairwise


@pytest.mark.parametrize("seed", range(4))
def test_metrics_equal_loops(seed: int) -> None:
    random = np.random.default_rng(seed)
    truth, found = random.integers(0, 6, 40), random.integers(0, 9, 40)
    precision, recall = [], []
    for face in range(40):
        mates, kin = found == found[face], truth == truth[face]
        precision.append((mates & kin).sum() / mates.sum())
        recall.append((mates & kin).sum() / kin.sum())
    p, r = np.mean(precision), np.mean(recall)
    assert bcubed(truth, found) == pytest.approx((p, r, 2 * p * r / (p + r)))
    pairs = list(itertools.combinations(range(40), 2))
    together = {(a, b) for a, b in pairs if found[a] == found[b]}
    wanted = {(a, b) for a, b in pairs if truth[a] == truth[b]}
    p, r = len(together & wanted) / len(together), len(together & wanted) / len(wanted)
    assert pairwise(truth, found) == pytest.approx((p, r, 2 * p * r / (p + r)))


def test_perfect_and_trivial_clusters() -> None:
    truth = np.array([0, 0, 1, 1])
    assert bcubed(truth, truth).f == pairwise(truth, truth).f == 1
    assert bcubed(truth, np.arange(4)) == pytest.approx((1, 0.5, 2 / 3))
    assert pairwise(truth, np.arange(4)) == (1, 0, 0)
    assert pairwise(np.arange(4), np.zeros(4, int)) == (0, 1, 0)


def test_clusters_are_split_at_the_distance() -> None:
    angles = np.radians([0, 5, 10, 60, 64, 130])
    rows = np.stack([np.cos(angles), np.sin(angles)], axis=1) * [[3.0]]
    assert bcubed(np.array([0, 0, 0, 1, 1, 2]), cluster(rows, 0.1)).f == 1
    assert len(np.unique(cluster(rows, 2.0))) == 1
    assert len(np.unique(cluster(rows, 1e-6))) == 6
    assert cluster(rows[:1], 0.1).tolist() == [0]


def test_clusters_are_merged_by_the_mean_of_their_distances() -> None:
    distances = np.array([[0, 0.1, 0.3], [0.1, 0, 0.5], [0.3, 0.5, 0]])
    assert len(set(cluster_distances(distances, 0.41))) == 1
    assert cluster_distances(distances, 0.39).tolist() in ([0, 0, 1], [1, 1, 0])
    assert cluster_distances(np.zeros((1, 1)), 1.0).tolist() == [0]
