"""All pairs of the photos of some people, in which every person and every two people have equal weight."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from facenet.evaluation.distances import Floats, Metric, Rows, cross_distances

LARGEST = 5_000  # photos, whose 12.5 million pairs take half a gigabyte


@dataclass(frozen=True, kw_only=True)
class PeoplePairs:
    """The distances between the photos of n people.

    photos: (n,) number of photos of each person. different: (P,) distances between photos of two people, and
    left < right: (P,) these people. same: (Q,) distances between two photos of one person, and same_people:
    (Q,) the person.
    """

    photos: Rows
    different: npt.NDArray[np.float32]
    left: npt.NDArray[np.int32]
    right: npt.NDArray[np.int32]
    same: npt.NDArray[np.float32]
    same_people: npt.NDArray[np.int32]

    @property
    def people(self) -> int:
        """The number of people."""
        return len(self.photos)

    @property
    def people_pairs(self) -> int:
        """The number of pairs of two people."""
        return self.people * (self.people - 1) // 2

    def different_weights(self) -> Floats:
        """Return the (P,) weights of the different pairs: 1 in all for every two people."""
        return np.asarray(1 / (self.photos[self.left] * self.photos[self.right]), np.float64)

    def same_weights(self) -> Floats:
        """Return the (Q,) weights of the same pairs: 1 in all for every person with two photos."""
        photos = self.photos[self.same_people]
        return np.asarray(2 / (photos * (photos - 1)), np.float64)

    def accepted(self, threshold: float) -> Floats:
        """Return the (n, n) fractions of the photo pairs of each two people that a threshold accepts.

        Symmetric, with zeros on the diagonal.
        """
        below = self.different < threshold
        cells = self.left[below].astype(np.int64) * self.people + self.right[below]
        weights = self.different_weights()[below]
        half = np.bincount(cells, weights, minlength=self.people**2).reshape(self.people, self.people)
        return np.asarray(half + half.T, np.float64)

    def true_accept_rate(self, threshold: float) -> float:
        """Return the mean over people of the fraction of their own photo pairs that a threshold accepts.

        NaN if nobody has two photos.
        """
        weights = self.same_weights()
        total = float(weights.sum())
        return float(weights[self.same < threshold].sum()) / total if total else float("nan")


def people_pairs(templates: npt.NDArray[np.float32], owners: Sequence[str], metric: Metric) -> PeoplePairs:
    """Return the pairs of (M, D) templates; owners: the person of each, numbered in sorted order."""
    names, codes = np.unique(np.asarray(owners), return_inverse=True)
    first, second = np.triu_indices(len(codes), 1)
    distances = cross_distances(templates, templates, metric)[first, second].astype(np.float32)
    people = np.sort(codes.astype(np.int32)[np.stack([first, second])], axis=0)
    same = people[0] == people[1]
    return PeoplePairs(
        photos=np.bincount(codes, minlength=len(names)).astype(np.int64),
        different=distances[~same],
        left=people[0][~same],
        right=people[1][~same],
        same=distances[same],
        same_people=people[0][same],
    )


def chosen_rows(owners: Sequence[str], *, largest: int = LARGEST, seed: int = 0) -> Rows:
    """Return the ascending rows of at most `largest` photos, of as many people as possible.

    All if they fit. Otherwise everyone keeps as many photos as fit, at random; if not even two each do,
    people are drawn at random and keep two.

    Args:
        owners: the person of each photo.
        largest: maximum number of photos, at least 2.
        seed: of the choice.
    """
    _, codes, counts = np.unique(np.asarray(owners), return_inverse=True, return_counts=True)
    if len(codes) <= largest:
        return np.arange(len(codes))
    random = np.random.default_rng(seed)
    shuffled = random.permutation(len(codes))
    order = shuffled[np.argsort(codes[shuffled], kind="stable")]  # by person, at random within one
    rank = np.arange(len(codes)) - np.repeat(np.cumsum(counts) - counts, counts)
    most = 2
    while np.minimum(counts, most + 1).sum() <= largest:
        most += 1
    rows = order[rank < most]
    people = codes[rows]
    position = random.permutation(len(counts))[people]
    rows = rows[np.argsort(position, kind="stable")] if len(rows) > largest else rows
    return np.sort(rows[:largest]).astype(np.int64)
