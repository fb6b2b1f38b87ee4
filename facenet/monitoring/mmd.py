"""The maximum mean discrepancy: how far two samples of several quantities at once are apart."""

import numpy as np
import numpy.typing as npt

from facenet.monitoring.weights import Floats, Weights

FARTHEST = 5.0  # standard deviations; a single extreme row shall not decide
SPREADS = 1.349  # interquartile range of a normal distribution with standard deviation 1
PAIRS = 500  # rows whose distances give the width


class Kernel:
    """A Gaussian kernel over the standardised columns of a reference.

    The width is the median distance between two rows (A. Gretton et al., JMLR 13, 2012, section 8).

    Args:
        reference: (M, Q).

    Attributes:
        between: (M, M) values between the rows of the reference.
    """

    def __init__(self, reference: npt.ArrayLike) -> None:
        rows = np.asarray(reference, np.float64)
        low, self._middle, high = np.quantile(rows, [0.25, 0.5, 0.75], axis=0)
        spread = (high - low) / SPREADS
        self._spread = np.where(spread > 0, spread, 1.0)
        self._rows = self._standardised(rows)
        some = self._rows[:: max(1, len(rows) // PAIRS)]
        apart = _squared(some, some)[np.triu_indices(len(some), 1)]
        positive = apart[apart > 0]
        self._width = float(np.median(positive)) if len(positive) else 1.0
        self.between = self._values(self._rows, self._rows)

    def squared_mmd(self, day: npt.ArrayLike) -> float:
        """Return the squared discrepancy between the reference and (N, Q) rows: 0 for equal samples.

        The V-statistic: the mean kernel within the reference, plus that within the day, less twice that
        between them.
        """
        rows = self._standardised(np.asarray(day, np.float64))
        within, across = self._values(rows, rows).mean(), self._values(self._rows, rows).mean()
        return max(0.0, float(self.between.mean() + within - 2 * across))

    def weighted(self, differences: Weights) -> Floats:
        """Return the (B,) squared discrepancies of B pairs of samples of the reference's rows.

        differences: (M, B), the weight of each row in the first sample less that in the second.
        """
        products = (self.between.astype(np.float32) @ differences) * differences
        found: Floats = np.maximum(0.0, products.sum(axis=0, dtype=np.float64))
        return found

    def _standardised(self, rows: Floats) -> Floats:
        scaled: Floats = np.clip((rows - self._middle) / self._spread, -FARTHEST, FARTHEST)
        return scaled

    def _values(self, left: Floats, right: Floats) -> Floats:
        values: Floats = np.exp(-_squared(left, right) / (2 * self._width))
        return values


def _squared(left: Floats, right: Floats) -> Floats:
    """Return the squared Euclidean distances between rows."""
    lengths = (left**2).sum(axis=1)[:, None] + (right**2).sum(axis=1)[None]
    squared: Floats = np.maximum(0.0, lengths - 2 * left @ right.T)
    return squared
