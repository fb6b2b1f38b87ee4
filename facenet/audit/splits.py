"""How much two identities look like one person, compared with other look-alikes of each."""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from facenet.audit.faces import AuditFaces, Floats, Integers, unit
from facenet.audit.nearest import nearest_identities

CROSS_PAIRS = 9  # of faces, at least: with fewer, look-alikes are as similar as one person
PARTNERS = 3  # nearest identities that an identity may be one with
RIVAL = 1  # of the nearest others, without the partner: the one before it may be a third name of the person
STRANGER = 0.25  # faces that are less similar to the rest of their identity do not count


class Splits(NamedTuple):
    """Pairs of identities. pairs: (M, 2), ascending. features: (M, 2).

    The features are the cosine of the two centres, and how far it exceeds that of the nearest rival of
    either: people of similar age, sex and origin look alike to a network, so that the first is not enough.
    """

    pairs: Integers
    features: Floats


def score_splits(faces: AuditFaces) -> Splits:
    """Return the pairs of identities that are among each other's nearest, and have enough faces."""
    kept = _familiar(faces)
    counts = np.add.reduceat(kept, faces.starts[:-1], dtype=np.int64)
    possible = np.flatnonzero(counts >= 2)
    centres = unit(np.add.reduceat(faces.vectors * kept[:, None], faces.starts[:-1], axis=0)[possible])
    if len(possible) < 2:
        return Splits(np.empty((0, 2), np.int64), np.empty((0, 2), np.float32))
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
    features = np.stack([cosines, cosines - rivals], axis=1)
    return Splits(np.stack([possible[a], possible[b]], axis=1), features)


def _familiar(faces: AuditFaces) -> npt.NDArray[np.bool_]:
    """Return for each face (N,) whether it resembles the rest of its identity, or has too few to compare."""
    counts = faces.counts[faces.owners]
    total = (faces.vectors * faces.sums[faces.owners]).sum(axis=1)
    rest = (total - 1) / np.maximum(counts - 1, 1)
    familiar: npt.NDArray[np.bool_] = (rest > STRANGER) | (counts < 3)
    return familiar


def _rival(nearest: Integers, similar: Floats, of: Integers, without: Integers) -> Floats:
    """Return the similarity (M,) of centres to their nearest rival, or the last one known; 0 without any."""
    others = (nearest[of] != of[:, None]) & (nearest[of] != without[:, None])
    chosen = others & (np.cumsum(others, axis=1) <= RIVAL + 1)
    last = chosen.shape[1] - 1 - np.argmax(chosen[:, ::-1], axis=1)
    found: Floats = np.where(chosen.any(axis=1), similar[of, last], 0)
    return found
