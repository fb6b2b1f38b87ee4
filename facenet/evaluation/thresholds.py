"""The exact search for thresholds: over the distances themselves, not over a grid.

A pair is accepted as the same person if its distance is less than the threshold.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]

ROUNDING = 1e-9  # 0.29 * 100 is 28.999999999999996 and means 29


@dataclass(frozen=True)
class Thresholds:
    """What the training folds teach: `accuracy` decides most pairs right, `val` keeps to the wanted FAR."""

    accuracy: float
    val: float


def choose_thresholds(distances: Floats, same: Flags, far: float) -> Thresholds:
    """Return the thresholds chosen on (P,) distances of pairs that are the same person or not."""
    return Thresholds(max_accuracy_threshold(distances, same), far_threshold(distances, same, far))


def max_accuracy_threshold(distances: Floats, same: Flags) -> float:
    """Return the threshold with the most right decisions, the lowest of equally good ones: it accepts least.

    Candidates lie midway between neighbouring distances; the lowest is the smallest distance, which accepts
    no pair, the highest accepts all. No threshold whatever decides more of these pairs right.
    """
    values, groups = np.unique(distances, return_inverse=True)
    gains = np.bincount(groups, weights=np.where(same, 1, -1), minlength=len(values))
    best = int(np.argmax(np.concatenate([[0], np.cumsum(gains)])))  # accepted distinct values
    return _above(values, best)


def far_threshold(distances: Floats, same: Flags, far: float) -> float:
    """Return the largest threshold that accepts at most the share `far` of the different pairs.

    It is the smallest distance of a pair that must not be accepted any more. Without different pairs nothing
    is known about false accepts: 0, which accepts nothing.
    """
    negatives = np.sort(distances[~same])
    if not len(negatives):
        return 0.0
    allowed = int(np.floor(far * len(negatives) + ROUNDING))
    return float(negatives[allowed]) if allowed < len(negatives) else _above(negatives, len(negatives))


def _above(values: Floats, count: int) -> float:
    """Return a threshold that accepts exactly the `count` smallest of sorted, distinct values."""
    if count == 0:
        return float(values[0])
    if count == len(values):
        return float(np.nextafter(values[-1], np.inf))
    low, high = values[count - 1], values[count]
    middle = low + (high - low) / 2
    return float(middle if middle > low else high)  # neighbouring floats have no middle
