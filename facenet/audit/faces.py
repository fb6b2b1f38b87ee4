"""The faces of an audit: comparable unit vectors, and which of them each identity has."""

from dataclasses import dataclass
from functools import cached_property
from typing import Self

import numpy as np
import numpy.typing as npt

from facenet.errors import SourceInvalid

Floats = npt.NDArray[np.float32]
Integers = npt.NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class AuditFaces:
    """Faces sorted by identity.

    vectors: (N, D) float32, centred and of unit length: different people then have a similarity of about 0,
        whatever the network. names: (P,) identities in ascending order. starts: (P + 1,) first row of each
        identity. order: (N,) the row of each face in the caller's arrays.
    """

    vectors: Floats
    names: npt.NDArray[np.str_]
    starts: Integers
    order: Integers

    @classmethod
    def of(cls, templates: npt.NDArray[np.floating], identities: npt.NDArray[np.str_]) -> Self:
        """Return the faces for templates (N, D) and the identity (N,) of each.

        Raises:
            SourceInvalid: there are fewer than two identities, or a template is not finite or zero.
        """
        order = np.argsort(identities, kind="stable")
        names, starts = np.unique(identities[order], return_index=True)
        if len(names) < 2:
            raise SourceInvalid(f"An audit compares identities; there are {len(names)}.")
        vectors = unit(np.asarray(templates, np.float32)[order])
        vectors = unit(vectors - vectors.mean(axis=0, dtype=np.float64).astype(np.float32))
        return cls(vectors, names, np.append(starts, len(order)), order)

    @cached_property
    def counts(self) -> Integers:
        """(P,) number of faces of each identity."""
        return np.diff(self.starts)

    @cached_property
    def owners(self) -> Integers:
        """(N,) identity of each face."""
        return np.repeat(np.arange(len(self.names)), self.counts)

    @cached_property
    def sums(self) -> Floats:
        """(P, D) sum of the vectors of each identity."""
        return np.add.reduceat(self.vectors, self.starts[:-1], axis=0)

    def rows(self, identity: int) -> slice:
        """Return the rows of an identity."""
        return slice(int(self.starts[identity]), int(self.starts[identity + 1]))


def unit(vectors: Floats) -> Floats:
    """Return vectors (N, D) scaled to length 1.

    Raises:
        SourceInvalid: one is not finite, or zero.
    """
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    if not np.isfinite(lengths).all() or not (lengths > 0).all():
        raise SourceInvalid("A template is not finite or zero, so the audit cannot compare it.")
    scaled: Floats = vectors / lengths
    return scaled
