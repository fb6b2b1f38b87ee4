"""From a distance to the probability of a match.

Platt's sigmoid (Probabilistic outputs for support vector machines, 1999) and not isotonic regression: two
numbers hold on a few hundred pairs, never make two distances equal, and do not claim 0 or 1 beyond the
distances seen, where the thresholds of small false accept rates lie; isotonic steps do all of that.
"""

from dataclasses import dataclass

import numpy as np
from scipy.special import xlogy

from facenet.evaluation.platt import fit_sigmoid
from facenet.evaluation.protocol import Measured
from facenet.evaluation.sigmoid import Sigmoid
from facenet.evaluation.thresholds import Flags, Floats
from facenet.evaluation.uncertainty import Interval, wilson_interval

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
