"""How well each face fits its own identity, and the identity that it fits best otherwise."""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from facenet.audit.faces import AuditFaces, Floats, Integers, unit
from facenet.audit.nearest import nearest_identities

NEIGHBOURS = 3  # faces whose mean similarity counts; a wrong one among them does not decide
CANDIDATES = 8  # identities whose faces are compared, after a search by centres
FEW = 2  # an identity with fewer faces is no alternative: a single look-alike would often be nearest
BLOCK = 2**12  # rows of similarities at once


class Outliers(NamedTuple):
    """Scores of faces (N,).

    own: mean similarity to the nearest faces of the same identity; NaN for an only face. other: to those of
    the identity `rival`; -1 if there is none.
    """

    own: Floats
    other: Floats
    rival: Integers

    @property
    def margins(self) -> Floats:
        """(N, 1) by how much more similar each face is to its rival than to its own identity."""
        margins: Floats = (self.other - self.own)[:, None]
        return margins


def score_outliers(faces: AuditFaces, *, tick: Callable[[int], None] = lambda _rows: None) -> Outliers:
    """Return the scores of all faces; tick: called with the number of faces searched since the last call."""
    own = np.full(len(faces.vectors), np.nan, np.float32)
    for identity in np.flatnonzero(faces.counts > 1).tolist():
        own[faces.rows(identity)] = _own(faces.vectors[faces.rows(identity)])
    return Outliers(own, *_others(faces, tick))


def _own(vectors: Floats) -> Floats:
    """Return for each of (n, D) vectors the mean similarity to its nearest others."""
    found = np.empty(len(vectors), np.float32)
    for start in range(0, len(vectors), BLOCK):
        block = vectors[start : start + BLOCK] @ vectors.T
        block[np.arange(len(block)), start + np.arange(len(block))] = -np.inf
        found[start : start + BLOCK] = _mean_of_nearest(block, len(vectors) - 1)
    return found


def _others(faces: AuditFaces, tick: Callable[[int], None]) -> tuple[Floats, Integers]:
    other = np.full(len(faces.vectors), -1, np.float32)
    rival = np.full(len(faces.vectors), -1, np.int64)
    possible = np.flatnonzero(faces.counts >= FEW)
    if not len(possible):
        return other, rival
    nearest, _ = nearest_identities(faces.vectors, unit(faces.sums[possible]), CANDIDATES + 1, tick=tick)
    rows = np.repeat(np.arange(len(faces.vectors)), nearest.shape[1])
    identities = possible[nearest.ravel()]
    foreign = identities != faces.owners[rows]
    order = np.argsort(identities[foreign], kind="stable")
    rows, identities = rows[foreign][order], identities[foreign][order]
    firsts = np.flatnonzero(np.diff(identities, prepend=-1))
    for start, end in zip(firsts, np.append(firsts[1:], len(rows)), strict=True):
        identity = identities[start]
        members = faces.vectors[faces.rows(identity)]
        for part in range(start, end, BLOCK):
            asked = rows[part : min(part + BLOCK, end)]
            similar = _mean_of_nearest(faces.vectors[asked] @ members.T, len(members))
            better = similar > other[asked]
            other[asked[better]], rival[asked[better]] = similar[better], identity
    return other, rival


def _mean_of_nearest(similar: Floats, count: int) -> Floats:
    """Return the mean of the NEIGHBOURS largest of (n, m) similarities, of which `count` are valid."""
    kept = min(NEIGHBOURS, count)
    largest = np.partition(similar, similar.shape[1] - kept, axis=1)[:, -kept:]
    mean: Floats = largest.mean(axis=1)
    return mean
