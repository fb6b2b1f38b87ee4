"""Clustering of unlabelled faces by person, and metrics of the clusters."""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from scipy.cluster.hierarchy import fcluster, linkage

Labels = npt.NDArray[np.int64]


class Agreement(NamedTuple):
    """Precision, recall and their harmonic mean F, each in [0, 1]."""

    precision: float
    recall: float
    f: float


def cluster(embeddings: npt.ArrayLike, distance: float) -> Labels:
    """Return the zero-based cluster of each of (N, D) embeddings.

    Clusters are merged while their mean cosine distance is at most `distance` (average linkage, UPGMA; Sokal
    and Michener, 1958). Memory is quadratic in N: 800 MB for 10,000 faces.
    """
    rows = np.asarray(embeddings, np.float64)
    rows = rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-12)
    return cluster_distances(1 - rows @ rows.T, distance)


def cluster_distances(distances: npt.ArrayLike, distance: float) -> Labels:
    """Return the zero-based cluster of each of N faces from their (N, N) distances, as `cluster` does."""
    values = np.asarray(distances, np.float64)
    if len(values) < 2:
        return np.zeros(len(values), np.int64)
    upper = np.clip(values[np.triu_indices(len(values), 1)], 0, None)
    return np.asarray(fcluster(linkage(upper, "average"), distance, "distance"), np.int64) - 1


def bcubed(truth: Labels, clusters: Labels) -> Agreement:
    """Return the BCubed metrics of (N,) clusters, means over faces (Bagga and Baldwin, 1998).

    The precision of a face is the fraction of its cluster that shows its person, its recall the fraction of
    its person's faces in its cluster; F is the harmonic mean of the two means.
    """
    people, sizes, both = _sizes(truth, clusters)
    return _agreement(float(np.mean(both / sizes)), float(np.mean(both / people)))


def pairwise(truth: Labels, clusters: Labels) -> Agreement:
    """Return precision, recall and F of the pairs of faces that share a cluster; clusters: (N,).

    A rate over no pairs is 1.
    """
    people, sizes, both = _sizes(truth, clusters)
    together, same, correct = (float(np.sum(counts - 1)) for counts in (sizes, people, both))
    return _agreement(correct / together if together else 1.0, correct / same if same else 1.0)


def _sizes(truth: Labels, clusters: Labels) -> tuple[Labels, Labels, Labels]:
    """Return for each face the number of faces of its person, in its cluster, and both."""
    sizes = []
    for keys in (truth[:, None], clusters[:, None], np.stack([truth, clusters], axis=1)):
        _, groups, counts = np.unique(keys, axis=0, return_inverse=True, return_counts=True)
        sizes.append(counts[groups.ravel()])
    return sizes[0], sizes[1], sizes[2]


def _agreement(precision: float, recall: float) -> Agreement:
    total = precision + recall
    return Agreement(precision, recall, 2 * precision * recall / total if total else 0.0)
