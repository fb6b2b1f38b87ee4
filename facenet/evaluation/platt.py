"""Platt's sigmoid over distances, and the threshold at its midpoint.

J. Platt, Probabilistic outputs for support vector machines, 1999.
"""

import numpy as np
from scipy.optimize import minimize
from scipy.special import expit

from facenet.errors import PairsFileInvalid
from facenet.evaluation.sigmoid import Sigmoid
from facenet.evaluation.thresholds import Flags, Floats, max_accuracy_threshold


def fit_sigmoid(
    distances: Floats, same: Flags, *, counts: Floats | None = None, different: float = 1.0
) -> Sigmoid:
    """Return the maximum likelihood sigmoid of (P,) distances; the log odds it gives are at equal priors.

    With `different` above 1 the fit is best where a match is that much less likely than a non-match before
    the distance is known. It is close to the true log odds there even if these are not a straight line.

    Targets are Platt's, (n + 1) / (n + 2) for n same pairs and 1 / (n + 2) for n different ones, which keeps
    the slope finite where the classes are separable.

    Args:
        distances: (P,) of the pairs.
        same: (P,) whether a pair shows the same person.
        counts: (P,) number of pairs with each distance, or None for one each.
        different: total weight of the different pairs; that of the same pairs is 1.

    Raises:
        PairsFileInvalid: one of the classes has no pairs.
    """
    counts = np.ones(len(same)) if counts is None else counts
    positives, negatives = float(counts[same].sum()), float(counts[~same].sum())
    if not positives or not negatives:
        shown = "the same person" if positives else "different people"
        raise PairsFileInvalid(
            f"All {len(same)} pairs to calibrate on show {shown}, so a probability cannot be fitted. "
            "Use a pairs file with both same and different pairs."
        )
    target = np.where(same, (positives + 1) / (positives + 2), 1 / (negatives + 2))
    weight = counts * np.where(same, 0.5 / positives, 0.5 * different / negatives)
    centre, width = float(distances.mean()), float(distances.std()) or 1.0
    prior = -np.log(different)
    scaled = (distances - centre) / width

    def loss(at: Floats) -> tuple[float, Floats]:
        """Return the cross entropy of (slope, intercept) on scaled distances, and its gradient."""
        odds = at[1] - at[0] * scaled + prior
        value = np.sum(weight * (np.logaddexp(0, odds) - target * odds))
        slope = weight * (expit(odds) - target)
        return float(value), np.array([-np.sum(slope * scaled), np.sum(slope)])

    slope, intercept = minimize(loss, np.array([1.0, 0.0]), jac=True, method="BFGS", tol=1e-10).x
    return Sigmoid(float(slope / width), float(intercept + slope * centre / width))


def equal_prior_threshold(distances: Floats, same: Flags) -> float:
    """Return the distance at which a match has probability 0.5 under equal priors.

    It depends on all pairs, the accuracy-maximising threshold only on the few next to it, so it varies less
    between samples. Falls back to the latter where same pairs are not the nearer ones.

    Raises:
        PairsFileInvalid: one of the classes has no pairs.
    """
    sigmoid = fit_sigmoid(distances, same)
    return sigmoid.intercept / sigmoid.slope if sigmoid.slope > 0 else max_accuracy_threshold(distances, same)
