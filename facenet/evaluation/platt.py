"""Platt's sigmoid over distances, and the threshold at its middle.

J. Platt, Probabilistic outputs for support vector machines, 1999.
"""

import numpy as np
from scipy.optimize import minimize
from scipy.special import expit

from facenet.evaluation.sigmoid import Sigmoid
from facenet.evaluation.thresholds import Flags, Floats, max_accuracy_threshold


def fit_sigmoid(distances: Floats, same: Flags) -> Sigmoid:
    """Return the sigmoid most likely for (P,) distances; both kinds of pairs weigh alike.

    Targets are Platt's, (n + 1) / (n + 2) for n same pairs and 1 / (n + 2) for n different ones, so that the
    slope is finite for kinds that no distance mixes.

    Raises:
        ValueError: there are no same or no different pairs.
    """
    positives, negatives = int(same.sum()), int((~same).sum())
    if not positives or not negatives:
        raise ValueError("a calibration needs same and different pairs")
    target = np.where(same, (positives + 1) / (positives + 2), 1 / (negatives + 2))
    weight = np.where(same, 0.5 / positives, 0.5 / negatives)
    middle, width = float(distances.mean()), float(distances.std()) or 1.0
    scaled = (distances - middle) / width

    def loss(at: Floats) -> tuple[float, Floats]:
        """Return the cross entropy of (slope, intercept) on scaled distances, and its gradient."""
        odds = at[1] - at[0] * scaled
        value = np.sum(weight * (np.logaddexp(0, odds) - target * odds))
        slope = weight * (expit(odds) - target)
        return float(value), np.array([-np.sum(slope * scaled), np.sum(slope)])

    slope, intercept = minimize(loss, np.array([1.0, 0.0]), jac=True, method="BFGS", tol=1e-10).x
    return Sigmoid(float(slope / width), float(intercept + slope * middle / width))


def equal_prior_threshold(distances: Floats, same: Flags) -> float:
    """Return the distance at which a match is as likely as not, were same and different pairs equally many.

    All pairs hold it, while the best of a search is held by the few next to it: on other pairs it moves less.
    Where matches are not the nearer ones it is the search's after all.

    Raises:
        ValueError: there are no same or no different pairs.
    """
    sigmoid = fit_sigmoid(distances, same)
    return sigmoid.intercept / sigmoid.slope if sigmoid.slope > 0 else max_accuracy_threshold(distances, same)
