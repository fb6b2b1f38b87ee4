"""Verification of all pairs of a labelled set: no sampling, and enough pairs for small false accept rates.

n photos give n (n - 1) / 2 pairs, too many to store: distances are counted in 65,536 bins, and rates are
exact at the bin edges. There are no folds: thresholds and rates come from the same pairs.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from facenet.evaluation.roc import Curve
from facenet.evaluation.sample_size import SampleSize
from facenet.evaluation.thresholds import ROUNDING

BINS = 2**16  # of cosine distances, 0 to 2
BLOCK = 256  # photos whose distances to all others are in memory at once
FARS = (1e-1, 1e-2, 1e-3, 1e-4, 1e-5, 1e-6)


@dataclass(frozen=True, kw_only=True)
class AllPairsPoint:
    """VAL at the highest threshold (cosine distance) whose FAR is at most `far_target`.

    supported: whether there are enough people and pairs of people to state the rate.
    """

    far_target: float
    threshold: float
    far: float
    val: float
    supported: bool


@dataclass(frozen=True, kw_only=True)
class AllPairs:
    """The result over all pairs of N photos. auc, eer: of the ROC at the bin edges."""

    photos: int
    people: int
    same: int
    different: int
    auc: float
    eer: float
    points: tuple[AllPairsPoint, ...]


def verify_all(
    embeddings: npt.NDArray[np.floating], labels: npt.NDArray[np.int64], fars: Sequence[float] = FARS
) -> AllPairs:
    """Return the verification by cosine distance of all pairs of (N, D) embeddings; labels: (N,) person.

    Raises:
        ValueError: no person has two photos, or there is only one person.
    """
    same, different = _counts(embeddings, labels)
    positives, negatives = int(same.sum()), int(different.sum())
    if not positives or not negatives:
        raise ValueError("all pairs need a person with two photos, and a second person")
    true_accepts, false_accepts = (np.concatenate([[0], np.cumsum(counts)]) for counts in (same, different))
    curve = Curve(false_accepts / negatives, true_accepts / positives)
    people = len(np.unique(labels))
    size = SampleSize(people, people * (people - 1) // 2)
    points = []
    for far in fars:
        edge = int(np.searchsorted(false_accepts, np.floor(far * negatives + ROUNDING), side="right")) - 1
        points.append(
            AllPairsPoint(
                far_target=far,
                threshold=2 * edge / BINS,
                far=float(curve.far[edge]),
                val=float(curve.tpr[edge]),
                supported=size.shortage(far) is None,
            )
        )
    return AllPairs(
        photos=len(labels),
        people=people,
        same=positives,
        different=negatives,
        auc=curve.auc(),
        eer=curve.eer(),
        points=tuple(points),
    )


def _counts(
    embeddings: npt.NDArray[np.floating], labels: npt.NDArray[np.int64]
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Return the (BINS,) numbers of same and of different pairs by distance."""
    rows = np.asarray(embeddings, np.float32)
    rows = rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-12)
    same, different = np.zeros(BINS, np.int64), np.zeros(BINS, np.int64)
    for start in range(0, len(rows), BLOCK):
        stop = start + BLOCK
        block, people = rows[start:stop], labels[start:stop, None]
        once = np.triu_indices(len(block), 1)
        inside = _bins(block, block)[once], (people == labels[start:stop])[once]
        outside = _bins(block, rows[stop:]).ravel(), (people == labels[stop:]).ravel()
        for bins, matches in (inside, outside):
            counts = np.bincount(bins[matches], minlength=BINS)
            same += counts
            different += np.bincount(bins, minlength=BINS) - counts
    return same, different


def _bins(block: npt.NDArray[np.float32], others: npt.NDArray[np.float32]) -> npt.NDArray[np.intp]:
    """Return the (B, N) bins of the cosine distances between rows of unit length."""
    distances = block @ others.T  # in place: this is the largest array
    np.subtract(1, distances, out=distances)
    distances *= BINS / 2
    return np.clip(distances, 0, BINS - 1, out=distances).astype(np.intp)
