"""The exact threshold search: over the distances themselves instead of a grid.

A pair is accepted as the same person if its distance is below the threshold.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]

ROUNDING = 1e-9  # 0.29 * 100 is 28.999999999999996 and should be 29


@dataclass(frozen=True)
class Thresholds:
    """Thresholds from the training folds: `accuracy` maximises accuracy, `val` meets the target FAR."""

    accuracy: float
    val: float


def choose_thresholds(distances: Floats, same: Flags, far: float) -> Thresholds:
    """Return the thresholds chosen on the (P,) distances of same and different pairs."""
    return Thresholds(max_accuracy_threshold(distances, same), far_threshold(distances, same, far))


def max_accuracy_threshold(distances: Floats, same: Flags) -> float:
    """Return a threshold with maximum accuracy; of several the lowest, which accepts the fewest pairs.

    Candidates lie midway between neighbouring distances; the lowest, the smallest distance, accepts no pair,
    the highest accepts all. No other threshold has a higher accuracy on these pairs.
    """
    values, groups = np.unique(distances, return_inverse=True)
    gains = np.bincount(groups, weights=np.where(same, 1, -1), minlength=len(values))
    best = int(np.argmax(np.concatenate([[0], np.cumsum(gains)])))  # number of distinct values accepted
    return _above(values, best)


def far_threshold(distances: Floats, same: Flags, far: float) -> float:
    """Return the largest threshold whose false accept rate is at most `far`.

    It is the smallest distance of a different pair that must be rejected. Without different pairs the rate is
    unknown: 0, which accepts nothing.
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
    return float(middle if middle > low else high)  # neighbouring floats have no midpoint
