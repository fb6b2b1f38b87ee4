"""The threshold for a false accept rate at which every two people count equally."""

import numpy as np

from facenet.evaluation.distances import Floats
from facenet.evaluation.thresholds import ROUNDING
from facenet.site_calibration.people_pairs import PeoplePairs


def rate_thresholds(pairs: PeoplePairs, fars: tuple[float, ...]) -> Floats:
    """Return the largest threshold for each rate at which at most that rate is accepted.

    It is the smallest distance of a different pair that must be rejected. The rate is the mean over pairs of
    people of the fraction of their photo pairs.

    Args:
        pairs: of at least two people.
        fars: target rates, each in (0, 1).
    """
    order = np.argsort(pairs.different, kind="stable")
    distances = pairs.different[order].astype(np.float64)
    passed = np.cumsum(pairs.different_weights()[order]) / pairs.people_pairs
    rejected = np.searchsorted(passed, np.asarray(fars) + ROUNDING, side="right")
    return np.asarray(distances[np.minimum(rejected, len(distances) - 1)])
