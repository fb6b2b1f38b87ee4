"""The two-sample Kolmogorov-Smirnov statistic."""

import numpy as np
import numpy.typing as npt

from facenet.monitoring.weights import Floats, Weights


def ks(reference: npt.ArrayLike, day: npt.ArrayLike) -> float:
    """Return the largest difference of the empirical distributions of two samples (M,) and (N,), 0 to 1.

    N. Smirnov, Annals of Mathematical Statistics 19, 1948.
    """
    first, second = (np.sort(np.asarray(sample, np.float64)) for sample in (reference, day))
    places = np.concatenate([first, second])
    below = [np.searchsorted(sample, places, side="right") / len(sample) for sample in (first, second)]
    return float(np.abs(below[0] - below[1]).max())


def weighted_ks(values: npt.ArrayLike, differences: Weights) -> Floats:
    """Return the (B,) statistics of B pairs of samples of the same (M,) values.

    differences: (M, B), the weight of each value in the first sample less that in the second.
    """
    sample = np.asarray(values, np.float64)
    order = np.argsort(sample, kind="stable")
    last = np.append(np.diff(sample[order]) > 0, True)  # of equal values
    largest = np.abs(np.cumsum(differences[order], axis=0)[last]).max(axis=0)
    found: Floats = largest.astype(np.float64)
    return found
