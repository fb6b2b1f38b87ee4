"""From a distance to the probability of a match.

Platt's sigmoid (Probabilistic outputs for support vector machines, 1999) and not isotonic regression: two
numbers hold on a few hundred pairs, never make two distances equal, and do not claim 0 or 1 beyond the
distances seen, where the thresholds of small false accept rates lie; isotonic steps do all of that.
"""

from dataclasses import dataclass

import numpy as np
from scipy.optimize import minimize
from scipy.special import expit, xlogy

from facenet.evaluation.protocol import Measured
from facenet.evaluation.sweep import Flags, Floats
from facenet.evaluation.uncertainty import Interval, wilson_interval
from facenet.matching import Sigmoid

BINS = 10  # of the reliability table


@dataclass(frozen=True, kw_only=True)
class ReliabilityBin:
    """Pairs whose probability lies from `low` to `high`: what was said of them, and what was true."""

    low: float
    high: float
    pairs: int
    predicted: float
    observed: float
    interval: Interval


@dataclass(frozen=True, kw_only=True)
class Calibration:
    """The mean of the folds' sigmoids, each fitted on training folds only, and how they fare on the others.

    probabilities: (P,) of each pair by the sigmoid that has not seen its fold; NaN for fold -1.
    """

    sigmoid: Sigmoid
    probabilities: Floats
    log_loss: float
    brier: float
    expected_error: float
    reliability: tuple[ReliabilityBin, ...]


def calibrate(measured: Measured) -> Calibration:
    """Return the calibration of measured distances, judged on pairs it was not fitted on."""
    pairs, probabilities, fits = measured.pairs, np.full(len(measured.pairs.same), np.nan), []
    for _, distances, test in measured.by_fold():
        fits.append(fit_sigmoid(distances[~test], pairs.same[~test]))
        probabilities[test] = fits[-1].probability(distances[test])
    scored = pairs.fold >= 0
    said, same = probabilities[scored], pairs.same[scored]
    bins = reliability(said, same)
    return Calibration(
        sigmoid=Sigmoid(float(np.mean([f.slope for f in fits])), float(np.mean([f.intercept for f in fits]))),
        probabilities=probabilities,
        log_loss=float(-np.mean(xlogy(same, said) + xlogy(~same, 1 - said))),
        brier=float(np.mean((said - same) ** 2)),
        expected_error=sum(b.pairs * abs(b.predicted - b.observed) for b in bins) / len(same),
        reliability=bins,
    )


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
        odds = at[1] - at[0] * scaled
        value = np.sum(weight * (np.logaddexp(0, odds) - target * odds))
        slope = weight * (expit(odds) - target)
        return float(value), np.array([-np.sum(slope * scaled), np.sum(slope)])

    slope, intercept = minimize(loss, np.array([1.0, 0.0]), jac=True, method="BFGS", tol=1e-10).x
    return Sigmoid(float(slope / width), float(intercept + slope * middle / width))


def reliability(probabilities: Floats, same: Flags) -> tuple[ReliabilityBin, ...]:
    """Return the bins of equal width that hold pairs, out of (P,) probabilities and what was true."""
    places = np.minimum((probabilities * BINS).astype(np.int64), BINS - 1)
    return tuple(
        ReliabilityBin(
            low=place / BINS,
            high=(place + 1) / BINS,
            pairs=int(inside.sum()),
            predicted=float(probabilities[inside].mean()),
            observed=float(same[inside].mean()),
            interval=wilson_interval(int(same[inside].sum()), int(inside.sum())),
        )
        for place in range(BINS)
        if (inside := places == place).any()
    )
