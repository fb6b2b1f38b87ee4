"""The search for thresholds as davidsandberg/facenet does it, to compare with its numbers.

400 thresholds 0, 0.01, ... for accuracy and ROC, 4,000 thresholds 0, 0.001, ... for VAL; a pair is accepted
if its distance is less than the threshold. Facts: src/facenet.py and src/lfw.py at 096ed77.
"""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from facenet.evaluation.roc import Curve
from facenet.evaluation.thresholds import Flags, Floats, Thresholds

ACCURACY_GRID: Floats = np.arange(0, 4, 0.01)
VAL_GRID: Floats = np.arange(0, 4, 0.001)


def choose_thresholds(distances: Floats, same: Flags, far: float) -> Thresholds:
    """Return the thresholds chosen on (P,) distances of pairs that are the same person or not."""
    return Thresholds(max_accuracy_grid_threshold(distances, same), far_threshold(distances, same, far))


def max_accuracy_grid_threshold(distances: Floats, same: Flags) -> float:
    """Return the lowest threshold of the grid among those with the most right decisions."""
    right, wrong = (_accepted(distances[kind], ACCURACY_GRID) for kind in (same, ~same))
    return float(ACCURACY_GRID[np.argmax(right - wrong)])


def far_threshold(distances: Floats, same: Flags, far: float) -> float:
    """Return the threshold, between grid points, at which the share of accepted different pairs is `far`.

    The share is a staircase. Between the last threshold with a share of at most `far` and the next it is
    taken as linear, as SciPy's slinear did before it refused repeated values. 0 if the whole grid stays below
    `far`.
    """
    negatives = distances[~same]
    shares = _accepted(negatives, VAL_GRID) / max(1, len(negatives))
    if shares[-1] < far:
        return 0.0
    return float(np.interp(far, shares, VAL_GRID))


def mean_curve(folds: Sequence[tuple[Floats, Flags]]) -> Curve:
    """Return the ROC at the 400 thresholds, averaged over folds of (distances, same).

    A rate of a fold without such pairs is 0. The curve does not reach (1, 1) if distances exceed 4.
    """
    far = [_accepted(d[~same], ACCURACY_GRID) / max(1, int((~same).sum())) for d, same in folds]
    tpr = [_accepted(d[same], ACCURACY_GRID) / max(1, int(same.sum())) for d, same in folds]
    return Curve(np.mean(far, axis=0), np.mean(tpr, axis=0))


def _accepted(distances: Floats, thresholds: Floats) -> npt.NDArray[np.int64]:
    """Return how many distances are less than each threshold."""
    return np.searchsorted(np.sort(distances), thresholds, side="left")
