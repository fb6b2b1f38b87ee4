"""How much an identity looks like two people."""

from typing import NamedTuple

import numpy as np
from scipy.cluster.hierarchy import linkage
from scipy.spatial.distance import squareform

from facenet.audit.faces import AuditFaces, Floats, Integers

LEAST_PART = 3  # faces of the smaller part: one or two are outliers
SAMPLED = 3000  # faces of one identity that are clustered; the others join the nearer part


class Merges(NamedTuple):
    """Identities that fall into two parts.

    identities: (M,). features: (M, 2), mean similarity across the parts, and within the looser one.
    parts: for each the rows of the smaller part.
    """

    identities: Integers
    features: Floats
    parts: list[Integers]


def score_merges(faces: AuditFaces) -> Merges:
    """Return every identity with enough faces, divided at the widest gap of an average linkage."""
    identities, features, parts = [], [], []
    for identity in np.flatnonzero(faces.counts >= 2 * LEAST_PART).tolist():
        rows = faces.rows(identity)
        if (found := _divided(faces.vectors[rows])) is not None:
            across, within, part = found
            identities.append(identity)
            features.append((across, within))
            parts.append(rows.start + part)
    return Merges(np.array(identities, np.int64), np.array(features, np.float32).reshape(-1, 2), parts)


def _divided(vectors: Floats) -> tuple[float, float, Integers] | None:
    """Return the similarity across and within the parts of (n, D) vectors, and the smaller part's rows."""
    step = -(-len(vectors) // SAMPLED)
    sample = vectors[::step]
    similar = sample @ sample.T
    np.fill_diagonal(similar, 1)
    tree = linkage(squareform(np.maximum(1 - similar, 0), checks=False), "average")
    members: list[Integers] = [np.array([row]) for row in range(len(sample))]
    for left, right, *_ in tree:
        members.append(np.concatenate([members[int(left)], members[int(right)]]))
    for left, right, distance, _ in tree[::-1]:
        parts = sorted((members[int(left)], members[int(right)]), key=len)
        if len(parts[0]) >= LEAST_PART:
            within = min(_within(similar, part) for part in parts)
            return 1 - distance, within, _joined(vectors, sample, parts)
    return None


def _within(similar: Floats, part: Integers) -> float:
    """Return the mean similarity between two different faces of a part."""
    return float((similar[np.ix_(part, part)].sum() - len(part)) / (len(part) * (len(part) - 1)))


def _joined(vectors: Floats, sample: Floats, parts: list[Integers]) -> Integers:
    """Return the rows of `vectors` that belong to the first part."""
    if len(sample) == len(vectors):
        return np.sort(parts[0])
    small, large = (sample[part].mean(axis=0) for part in parts)
    return np.flatnonzero(vectors @ small > vectors @ large)
