"""From a distance to the probability of a match.

Platt's sigmoid (Probabilistic outputs for support vector machines, 1999) and not isotonic regression: two
parameters can be fitted on a few hundred pairs, keep the order of all distances, and never reach 0 or 1
outside the observed distances, where the thresholds of small false accept rates lie. Isotonic regression has
none of these properties.
"""

from dataclasses import dataclass

import numpy as np

from facenet.evaluation.platt import fit_sigmoid
from facenet.evaluation.protocol import Measured
from facenet.evaluation.sigmoid import Sigmoid
from facenet.evaluation.thresholds import Flags, Floats
from facenet.evaluation.uncertainty import Interval, wilson_interval

BINS = 10  # of the reliability table


@dataclass(frozen=True, kw_only=True)
class ReliabilityBin:
    """Pairs with a predicted probability between `low` and `high`.

    predicted: their mean probability. observed: the fraction of same pairs, with its 95 % interval.
    """

    low: float
    high: float
    pairs: int
    predicted: float
    observed: float
    interval: Interval


@dataclass(frozen=True, kw_only=True)
class Calibration:
    """The mean of the folds' sigmoids, each fitted on training folds only, and its errors on held-out folds.

    probabilities: (P,) of each pair, from the sigmoid fitted without its fold; NaN for fold -1.
    expected_error: mean absolute difference between predicted and observed over the bins, by pairs (ECE).
    """

    sigmoid: Sigmoid
    probabilities: Floats
    log_loss: float
    brier: float
    expected_error: float
    reliability: tuple[ReliabilityBin, ...]


def calibrate(measured: Measured) -> Calibration:
    """Return the calibration of measured distances, evaluated on pairs it was not fitted on."""
    pairs, probabilities, fits = measured.pairs, np.full(len(measured.pairs.same), np.nan), []
    for _, distances, test in measured.by_fold():
        fits.append(fit_sigmoid(distances[~test], pairs.same[~test]))
        probabilities[test] = fits[-1].probability(distances[test])
    scored = pairs.fold >= 0
    predicted, same = probabilities[scored], pairs.same[scored]
    bins = reliability(predicted, same)
    return Calibration(
        sigmoid=Sigmoid(float(np.mean([f.slope for f in fits])), float(np.mean([f.intercept for f in fits]))),
        probabilities=probabilities,
        log_loss=log_loss(predicted, same),
        brier=float(np.mean((predicted - same) ** 2)),
        expected_error=sum(b.pairs * abs(b.predicted - b.observed) for b in bins) / len(same),
        reliability=bins,
    )


def log_loss(probabilities: Floats, same: Flags) -> float:
    """Return the mean negative log-likelihood, in nats, of P pairs; never infinite.

    Probabilities are clipped to [eps, 1 - eps], eps the float64 epsilon, as scikit-learn's log_loss does: a
    sigmoid rounds to exactly 0 or 1 at log odds of about 37, so the tail beyond that is not known, and one
    rounded pair would make the mean of all others infinite. A pair costs at most 36 nats.
    """
    epsilon = np.finfo(np.float64).eps
    said = np.clip(np.asarray(probabilities, np.float64), epsilon, 1 - epsilon)
    return float(-np.mean(np.log(np.where(same, said, 1 - said))))


def reliability(probabilities: Floats, same: Flags) -> tuple[ReliabilityBin, ...]:
    """Return the non-empty bins of equal width of (P,) probabilities; same: (P,) the true labels."""
    bins = np.minimum((probabilities * BINS).astype(np.int64), BINS - 1)
    return tuple(
        ReliabilityBin(
            low=index / BINS,
            high=(index + 1) / BINS,
            pairs=int(inside.sum()),
            predicted=float(probabilities[inside].mean()),
            observed=float(same[inside].mean()),
            interval=wilson_interval(int(same[inside].sum()), int(inside.sum())),
        )
        for index in range(BINS)
        if (inside := bins == index).any()
    )
