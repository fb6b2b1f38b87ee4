"""What an audit finds."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt


@dataclass(frozen=True)
class Outlier:
    """A face that may not show its person.

    face: row in the caller's arrays. probability: that the name is wrong. own: mean similarity to the nearest
    faces of its identity, of those that are one with it as well. rival: the identity that it fits best
    otherwise, and `other` the similarity to it. suggested: the rival if the face fits it, None otherwise.
    """

    face: int
    identity: str
    probability: float
    own: float
    other: float
    rival: str | None
    suggested: str | None


@dataclass(frozen=True)
class SplitPerson:
    """Two identities that may be one person. similarity: cosine of their centres."""

    first: str
    second: str
    probability: float
    similarity: float


@dataclass(frozen=True, eq=False)
class MergedPeople:
    """An identity that may be two people.

    faces: rows of the smaller part in the caller's arrays. across, within: mean similarity across the parts,
    and within the looser one.
    """

    identity: str
    faces: npt.NDArray[np.int64]
    probability: float
    across: float
    within: float


@dataclass(frozen=True)
class Findings:
    """Everything found, most probable first; only what is at least as probable as was asked for."""

    outliers: tuple[Outlier, ...]
    splits: tuple[SplitPerson, ...]
    merges: tuple[MergedPeople, ...]
