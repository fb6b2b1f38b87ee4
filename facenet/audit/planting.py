"""Errors planted into a copy of the faces, to learn what errors look like."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from facenet.audit.faces import AuditFaces, Integers

MOVED = 0.02  # fraction of faces that get another identity
HALVED = 0.3  # fraction of identities that are divided
MERGED = 0.1  # fraction of identities that are joined, two by two
LEAST = 4  # faces of an identity that is divided or merged


@dataclass(frozen=True, eq=False)
class Planted:
    """A copy with errors.

    faces: the copy. moved: (N,) whether each face has another's identity. halves: (H, 2) pairs of identities
    that are one. merged: (M,) identities that are two.
    """

    faces: AuditFaces
    moved: npt.NDArray[np.bool_]
    halves: Integers
    merged: Integers


def plant(faces: AuditFaces, rng: np.random.Generator) -> Planted:
    """Return a copy of the faces with errors of each kind."""
    owners, total = faces.owners.copy(), len(faces.names)
    large = rng.permutation(np.flatnonzero(faces.counts >= LEAST))
    halved = large[: round(HALVED * len(large))]
    joined = large[len(halved) : len(halved) + 2 * round(MERGED * len(large) / 2)].reshape(-1, 2)
    for number, identity in enumerate(halved):
        rows = faces.starts[identity] + rng.permutation(faces.counts[identity])
        owners[rows[: rng.integers(2, len(rows) // 2 + 1)]] = total + number
    for kept, gone in joined:
        owners[faces.rows(gone)] = kept
    moved = rng.choice(len(owners), round(MOVED * len(owners)), replace=False)
    several = np.flatnonzero(np.bincount(owners, minlength=total) > 1)
    if len(several):
        owners[moved] = rng.choice(several, len(moved))
    changed = AuditFaces.of(faces.vectors, np.char.zfill(owners.astype(str), len(str(2 * total))))
    numbers = changed.names.astype(np.int64)
    planted = np.zeros(len(owners), bool)
    planted[moved] = owners[moved] != faces.owners[moved]
    position = np.full(2 * total, -1)
    position[numbers] = np.arange(len(numbers))
    halves = np.sort(position[np.stack([halved, total + np.arange(len(halved))], axis=1)], axis=1)
    merged = position[joined[:, 0]]
    return Planted(changed, planted[changed.order], halves[(halves >= 0).all(axis=1)], merged[merged >= 0])
