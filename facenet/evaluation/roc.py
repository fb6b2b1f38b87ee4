"""The receiver operating characteristic of verification: true accepts against false accepts."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Curve:
    """Points of a ROC in order of the threshold; both rates are in [0, 1] and non-decreasing.

    far: (T,) fraction of different pairs accepted. tpr: (T,) fraction of same pairs accepted.
    """

    far: Floats
    tpr: Floats

    def auc(self) -> float:
        """Return the area under the curve between its first and last point, by the trapezoidal rule."""
        return float(np.trapezoid(self.tpr, self.far))

    def eer(self) -> float:
        """Return the equal error rate, at which false accept and false reject rate are equal.

        Points are interpolated linearly; the curve is extended to (0, 0) and (1, 1).
        """
        far = np.concatenate([[0.0], self.far, [1.0]])
        tpr = np.concatenate([[0.0], self.tpr, [1.0]])
        excess = 1 - tpr - far  # false reject rate minus FAR: falls from 1 to -1
        after = int(np.argmax(excess <= 0))
        fraction = excess[after - 1] / (excess[after - 1] - excess[after])
        return float(far[after - 1] + fraction * (far[after] - far[after - 1]))

    def thinned(self, points: int) -> "Curve":
        """Return the corners of the curve, subsampled evenly to at most `points`; the ends are kept."""
        moved = np.flatnonzero((np.diff(self.far, prepend=-1) != 0) | (np.diff(self.tpr, prepend=-1) != 0))
        far, tpr = self.far[moved], self.tpr[moved]
        steps_far, steps_tpr = np.diff(far), np.diff(tpr)
        turns = steps_far[1:] * steps_tpr[:-1] != steps_far[:-1] * steps_tpr[1:]
        ends = np.ones(1, bool)
        corners = np.flatnonzero(np.concatenate([ends, turns, ends])[: len(far)])
        if len(corners) > points:
            corners = corners[np.linspace(0, len(corners) - 1, points).round().astype(np.int64)]
        return Curve(far[corners], tpr[corners])


def exact_curve(distances: Floats, same: npt.NDArray[np.bool_]) -> Curve:
    """Return the ROC of (P,) distances with a point per distinct distance, from (0, 0) to (1, 1).

    Its area is the probability that a same pair is nearer than a different one, ties counting half
    (Mann-Whitney).

    Raises:
        ValueError: one of the classes has no pairs.
    """
    if same.all() or not same.any():
        raise ValueError("a ROC needs same and different pairs")
    values, groups = np.unique(distances, return_inverse=True)
    true_accepts = np.cumsum(np.bincount(groups[same], minlength=len(values)))
    false_accepts = np.cumsum(np.bincount(groups[~same], minlength=len(values)))
    far, tpr = false_accepts / false_accepts[-1], true_accepts / true_accepts[-1]
    return Curve(np.concatenate([[0.0], far]), np.concatenate([[0.0], tpr]))
