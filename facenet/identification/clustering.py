"""Faces without names, put into clusters of one person each, and how right the clusters are."""

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
    """Return the number, from 0, of the cluster of each of (N, D) embeddings.

    Clusters are merged while their mean cosine distance is at most `distance` (average linkage, UPGMA; Sokal
    and Michener, 1958). Takes N squared memory: 800 MB for 10,000 faces.
    """
    rows = np.asarray(embeddings, np.float64)
    if len(rows) < 2:
        return np.zeros(len(rows), np.int64)
    rows = rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-12)
    upper = np.clip(1 - (rows @ rows.T)[np.triu_indices(len(rows), 1)], 0, None)
    return np.asarray(fcluster(linkage(upper, "average"), distance, "distance"), np.int64) - 1


def bcubed(truth: Labels, found: Labels) -> Agreement:
    """Return BCubed of (N,) clusters against the truth: the mean over faces (Bagga and Baldwin, 1998).

    Precision of a face is the share of its cluster that is its person, recall the share of its person that is
    in its cluster; F is the harmonic mean of the two means.
    """
    people, clusters, both = _sizes(truth, found)
    return _agreement(float(np.mean(both / clusters)), float(np.mean(both / people)))


def pairwise(truth: Labels, found: Labels) -> Agreement:
    """Return precision, recall and F of the pairs of faces that (N,) clusters put together.

    Where there are no pairs to be wrong about, the rate is 1.
    """
    people, clusters, both = _sizes(truth, found)
    together, wanted, right = (float(np.sum(counts - 1)) for counts in (clusters, people, both))
    return _agreement(right / together if together else 1.0, right / wanted if wanted else 1.0)


def _sizes(truth: Labels, found: Labels) -> tuple[Labels, Labels, Labels]:
    """Return for each face how many are of its person, in its cluster, and both."""
    sizes = []
    for keys in (truth[:, None], found[:, None], np.stack([truth, found], axis=1)):
        _, places, counts = np.unique(keys, axis=0, return_inverse=True, return_counts=True)
        sizes.append(counts[places.ravel()])
    return sizes[0], sizes[1], sizes[2]


def _agreement(precision: float, recall: float) -> Agreement:
    total = precision + recall
    return Agreement(precision, recall, 2 * precision * recall / total if total else 0.0)
