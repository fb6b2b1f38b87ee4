"""The probability curve of a site: Platt's sigmoid, all people and all their pairs weighing the same."""

import numpy as np
import numpy.typing as npt

from facenet.evaluation.distances import Floats
from facenet.evaluation.platt import fit_sigmoid
from facenet.evaluation.sigmoid import Sigmoid
from facenet.site_calibration.people_pairs import PeoplePairs

BINS = 4096  # of distances: one is far narrower than the sigmoid, and millions of pairs fit in it


def site_curve(pairs: PeoplePairs) -> Sigmoid | None:
    """Return the sigmoid; None if nobody has two photos, or same pairs are not the nearer ones."""
    if not len(pairs.same):
        return None
    width = float(max(pairs.different.max(), pairs.same.max())) / BINS or 1.0
    same = _histogram(pairs.same, pairs.same_weights(), width)
    different = _histogram(pairs.different, pairs.different_weights(), width)
    centres = (np.arange(BINS) + 0.5) * width
    counts = np.concatenate([same, different])
    used = counts > 0
    sigmoid = fit_sigmoid(
        np.concatenate([centres, centres])[used], (np.arange(2 * BINS) < BINS)[used], counts=counts[used]
    )
    return sigmoid if sigmoid.slope > 0 else None


def _histogram(distances: npt.NDArray[np.float32], weights: Floats, width: float) -> Floats:
    """Return the (BINS,) weights by distance."""
    bins = np.minimum((distances / width).astype(np.int64), BINS - 1)
    return np.bincount(bins, weights, minlength=BINS).astype(np.float64)
