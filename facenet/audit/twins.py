"""The most similar face of another group, for each face: candidates for copies of one photo."""

from collections.abc import Callable

import numpy as np

from facenet.audit.faces import Floats, Integers
from facenet.audit.nearest import BLOCK_BYTES, EXACT, nearest_identities

NEIGHBOURS = 64  # of each face, above EXACT faces: more copies in its own group would hide one elsewhere


def nearest_outside(
    vectors: Floats, groups: Integers, *, tick: Callable[[int], None] = lambda _rows: None
) -> tuple[Integers, Floats]:
    """Return for each face the row of the most similar face of another group, and their similarity.

    Without one they are -1 and -1. Above EXACT faces only the NEIGHBOURS nearest ones are looked at.

    Args:
        vectors: (N, D) unit vectors.
        groups: (N,) numbers.
        tick: called with the number of faces done since the last call.
    """
    if len(vectors) > EXACT:
        rows, similar = nearest_identities(vectors, vectors, NEIGHBOURS, tick=tick)
        outside = (groups[rows] != groups[:, None]) & (rows >= 0)
        first = outside.argmax(axis=1)[:, None]
        found = outside.any(axis=1)
        rows[:, :1] = np.where(found[:, None], np.take_along_axis(rows, first, axis=1), -1)
        similar[:, :1] = np.where(found[:, None], np.take_along_axis(similar, first, axis=1), -1)
        return rows[:, 0], similar[:, 0]
    nearest, best = np.full(len(vectors), -1, np.int64), np.full(len(vectors), -1, np.float32)
    size = max(1, BLOCK_BYTES // (4 * max(1, len(vectors))))
    for start in range(0, len(vectors), size):
        block = slice(start, start + size)
        similar = vectors[block] @ vectors.T
        similar[groups[block, None] == groups] = -np.inf
        rows = similar.argmax(axis=1)
        values = np.take_along_axis(similar, rows[:, None], axis=1)[:, 0]
        found = np.isfinite(values)
        nearest[block], best[block] = np.where(found, rows, -1), np.where(found, values, -1)
        tick(len(rows))
    return nearest, best
