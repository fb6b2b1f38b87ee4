"""The threshold search of davidsandberg/facenet, for comparison with its published numbers.

400 thresholds 0, 0.01, ... for accuracy and ROC, 4,000 thresholds 0, 0.001, ... for VAL; a pair is accepted
if its distance is below the threshold. Source: src/facenet.py and src/lfw.py at 096ed77.
"""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from facenet.evaluation.roc import Curve
from facenet.evaluation.thresholds import Flags, Floats, Thresholds

ACCURACY_GRID: Floats = np.arange(0, 4, 0.01)
VAL_GRID: Floats = np.arange(0, 4, 0.001)


def choose_thresholds(distances: Floats, same: Flags, far: float) -> Thresholds:
    """Return the thresholds chosen on the (P,) distances of same and different pairs."""
    return Thresholds(max_accuracy_grid_threshold(distances, same), far_threshold(distances, same, far))


def max_accuracy_grid_threshold(distances: Floats, same: Flags) -> float:
    """Return the lowest of the grid's thresholds with maximum accuracy."""
    correct, wrong = (_accepted(distances[members], ACCURACY_GRID) for members in (same, ~same))
    return float(ACCURACY_GRID[np.argmax(correct - wrong)])


def far_threshold(distances: Floats, same: Flags, far: float) -> float:
    """Return the threshold, interpolated between grid points, at which the false accept rate is `far`.

    The rate is a step function of the threshold. Between the last threshold with a rate of at most `far` and
    the next one it is interpolated linearly, as SciPy's slinear did before it rejected repeated values. 0 if
    the rate stays below `far` on the whole grid.
    """
    negatives = distances[~same]
    rates = _accepted(negatives, VAL_GRID) / max(1, len(negatives))
    if rates[-1] < far:
        return 0.0
    return float(np.interp(far, rates, VAL_GRID))


def mean_curve(folds: Sequence[tuple[Floats, Flags]]) -> Curve:
    """Return the ROC at the 400 thresholds, averaged over folds of (distances, same).

    The rate of a fold without pairs of that class is 0. The curve ends before (1, 1) if distances exceed 4.
    """
    far = [_accepted(d[~same], ACCURACY_GRID) / max(1, int((~same).sum())) for d, same in folds]
    tpr = [_accepted(d[same], ACCURACY_GRID) / max(1, int(same.sum())) for d, same in folds]
    return Curve(np.mean(far, axis=0), np.mean(tpr, axis=0))


def _accepted(distances: Floats, thresholds: Floats) -> npt.NDArray[np.int64]:
    """Return the number of distances below each threshold."""
    return np.searchsorted(np.sort(distances), thresholds, side="left")
