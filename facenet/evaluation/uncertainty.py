"""Confidence intervals of rates measured on a sample."""

import numpy as np
import numpy.typing as npt
from scipy.special import ndtri, stdtrit

Interval = tuple[float, float]


def wilson_interval(successes: float, total: float, confidence: float = 0.95) -> Interval:
    """Return the confidence interval of a rate of independent trials (E. B. Wilson, JASA 22, 1927).

    The numbers need not be whole: correlated trials count as the number of independent ones they are worth.

    Raises:
        ValueError: `total` is not positive.
    """
    if total <= 0:
        raise ValueError("an interval needs at least one trial")
    z = float(ndtri(0.5 + confidence / 2))
    rate, weight = successes / total, z * z / total
    centre = (rate + weight / 2) / (1 + weight)
    half = z * float(np.sqrt(rate * (1 - rate) / total + weight / (4 * total))) / (1 + weight)
    low = 0.0 if successes == 0 else centre - half  # exact at the ends, despite rounding
    return low, 1.0 if successes == total else centre + half


def standard_error(values: npt.ArrayLike) -> float:
    """Return the standard error of the mean over K >= 2 folds: sample standard deviation over sqrt(K)."""
    numbers = np.asarray(values, np.float64)
    return float(np.std(numbers, ddof=1) / np.sqrt(len(numbers)))


def folds_interval(values: npt.ArrayLike, confidence: float = 0.95) -> Interval:
    """Return the confidence interval, clipped to [0, 1], of the mean rate of K >= 2 folds (Student's t)."""
    numbers = np.asarray(values, np.float64)
    half = float(stdtrit(len(numbers) - 1, 0.5 + confidence / 2)) * standard_error(numbers)
    return max(0.0, float(numbers.mean()) - half), min(1.0, float(numbers.mean()) + half)
