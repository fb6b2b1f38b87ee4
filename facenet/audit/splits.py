"""How much two identities look like one person, compared with other look-alikes of each."""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from facenet.audit.faces import AuditFaces, Floats, Integers, unit
from facenet.audit.nearest import nearest_identities

CROSS_PAIRS = 9  # of faces, at least: with fewer, look-alikes are as similar as one person
PARTNERS = 3  # nearest identities that an identity may be one with
RIVAL = 1  # of the nearest others, without the partner: the one before it may be a third name of the person
LEAST_WITHIN = 0.15  # similarity within an identity; a lower one, of few faces, is chance
MOST_RELATED = 1.2  # above it, too, the relation is chance
STRANGER = 0.25  # faces that are less similar to the rest of their identity do not count


class Splits(NamedTuple):
    """Pairs of identities. pairs: (M, 2), ascending. features: (M, 3).

    The features are the cosine of the two centres; how far it exceeds that of the nearest rival of either:
    people of similar age, sex and origin look alike to a network, so that the first is not enough; and the
    mean similarity of faces across the two in relation to that within them. The last is about 1 for one
    person, however few or varied the photos are.
    """

    pairs: Integers
    features: Floats


def score_splits(faces: AuditFaces) -> Splits:
    """Return the pairs of identities that are among each other's nearest, and have enough faces."""
    kept = _familiar(faces)
    counts = np.add.reduceat(kept, faces.starts[:-1], dtype=np.int64)
    possible = np.flatnonzero(counts >= 2)
    sums = np.add.reduceat(faces.vectors * kept[:, None], faces.starts[:-1], axis=0)[possible]
    centres = unit(sums)
    if len(possible) < 2:
        return Splits(np.empty((0, 2), np.int64), np.empty((0, 3), np.float32))
    nearest, similar = nearest_identities(centres, centres, PARTNERS + RIVAL + 1)
    first = np.repeat(np.arange(len(possible)), PARTNERS + 1)
    second = nearest[:, : PARTNERS + 1]
    second = np.pad(second, [(0, 0), (0, PARTNERS + 1 - second.shape[1])], mode="edge").ravel()
    pairs = np.unique(np.sort(np.stack([first, second], axis=1), axis=1), axis=0)
    a, b = pairs[pairs[:, 0] != pairs[:, 1]].T
    enough = faces.counts[possible[a]] * faces.counts[possible[b]] >= CROSS_PAIRS
    a, b = a[enough], b[enough]
    cosines = (centres[a] * centres[b]).sum(axis=1)
    rivals = np.maximum(_rival(nearest, similar, a, b), _rival(nearest, similar, b, a))
    relation = _relation(sums, counts[possible].astype(np.float32), a, b)
    features = np.stack([cosines, cosines - rivals, relation], axis=1)
    return Splits(np.stack([possible[a], possible[b]], axis=1), features)


def _familiar(faces: AuditFaces) -> npt.NDArray[np.bool_]:
    """Return for each face (N,) whether it resembles the rest of its identity, or has too few to compare."""
    counts = faces.counts[faces.owners]
    total = (faces.vectors * faces.sums[faces.owners]).sum(axis=1)
    rest = (total - 1) / np.maximum(counts - 1, 1)
    familiar: npt.NDArray[np.bool_] = (rest > STRANGER) | (counts < 3)
    return familiar


def _relation(sums: Floats, counts: Floats, a: Integers, b: Integers) -> Floats:
    """Return the mean similarity across identities a and b (M,) over the geometric mean of those within."""
    within = ((sums**2).sum(axis=1) - counts) / (counts * (counts - 1))
    across = (sums[a] * sums[b]).sum(axis=1) / (counts[a] * counts[b])
    scale = np.maximum(within, LEAST_WITHIN)
    relation: Floats = np.clip(across / np.sqrt(scale[a] * scale[b]), -1, MOST_RELATED)
    return relation


def _rival(nearest: Integers, similar: Floats, of: Integers, without: Integers) -> Floats:
    """Return the similarity (M,) of centres to their nearest rival, or the last one known; 0 without any."""
    others = (nearest[of] != of[:, None]) & (nearest[of] != without[:, None])
    chosen = others & (np.cumsum(others, axis=1) <= RIVAL + 1)
    last = chosen.shape[1] - 1 - np.argmax(chosen[:, ::-1], axis=1)
    found: Floats = np.where(chosen.any(axis=1), similar[of, last], 0)
    return found
