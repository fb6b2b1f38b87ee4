"""What a system would do at a wanted rate of false accepts, and how much of that the sample can carry.

Thresholds come from the training folds and are judged on the fold left out; counts are over all scored folds.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from facenet.evaluation.bootstrap import Codes, bootstrap, percentile_interval, weighted_share
from facenet.evaluation.protocol import Measured
from facenet.evaluation.sweep import Flags, Floats, far_threshold
from facenet.evaluation.uncertainty import Interval, wilson_interval

FARS = (1e-1, 1e-2, 1e-3, 1e-4)
LEAST_ERRORS = 30  # expected, for an error rate within 30 % with confidence 90 % (Doddington, 2000)


@dataclass(frozen=True, kw_only=True)
class OperatingPoint:
    """One wanted rate of false accepts.

    threshold: mean over folds. negatives, positives: scored pairs behind `far` and `val`. Intervals: 95 %,
    the wider of the bootstrap over people and of Wilson's for independent pairs.
    """

    far_target: float
    threshold: float
    negatives: int
    false_accepts: int
    far: float
    far_interval: Interval
    positives: int
    true_accepts: int
    val: float
    val_interval: Interval

    @property
    def supported(self) -> bool:
        """Whether the negatives can carry the claim: 30 false accepts are to be expected among them."""
        return self.far_target * self.negatives >= LEAST_ERRORS * (1 - 1e-9)


def operating_points(
    measured: Measured,
    left: Codes,
    right: Codes,
    *,
    fars: Sequence[float] = FARS,
    draws: int = 1000,
    seed: int = 0,
) -> list[OperatingPoint]:
    """Return a point for each wanted rate of false accepts.

    Args:
        measured: distances of P pairs with scored pairs of both kinds.
        left: (P,) number of the person of the one photo of each pair.
        right: (P,) of the other.
        fars: wanted rates, each in (0, 1).
        draws: of the bootstrap.
        seed: of the bootstrap.
    """
    decided = [_decide(measured, far) for far in fars]
    scored = measured.pairs.fold >= 0
    same = measured.pairs.same[scored]
    accepted = [accepts[scored] for _, accepts in decided]

    def rates(weights: Floats) -> Floats:
        shares = [weighted_share(weights, hits, kind) for hits in accepted for kind in (~same, same)]
        return np.stack(shares, axis=1)

    drawn = bootstrap(rates, left[scored], right[scored], draws=draws, seed=seed)
    return [
        _point(far, threshold, hits, same, drawn[:, 2 * place : 2 * place + 2])
        for place, (far, (threshold, _), hits) in enumerate(zip(fars, decided, accepted, strict=True))
    ]


def _decide(measured: Measured, far: float) -> tuple[float, Flags]:
    """Return the mean threshold and which pairs are accepted when their fold is scored."""
    thresholds, accepted = [], np.zeros(len(measured.pairs.same), bool)
    for _, distances, test in measured.by_fold():
        thresholds.append(far_threshold(distances[~test], measured.pairs.same[~test], far))
        accepted[test] = distances[test] < thresholds[-1]
    return float(np.mean(thresholds)), accepted


def _point(far: float, threshold: float, hits: Flags, same: Flags, drawn: Floats) -> OperatingPoint:
    counts = [(int((hits & kind).sum()), int(kind.sum())) for kind in (~same, same)]
    (false, negatives), (true, positives) = counts
    return OperatingPoint(
        far_target=far,
        threshold=threshold,
        negatives=negatives,
        false_accepts=false,
        far=false / negatives,
        far_interval=_wider(wilson_interval(false, negatives), percentile_interval(drawn[:, 0])),
        positives=positives,
        true_accepts=true,
        val=true / positives,
        val_interval=_wider(wilson_interval(true, positives), percentile_interval(drawn[:, 1])),
    )


def _wider(one: Interval, other: Interval) -> Interval:
    return min(one[0], other[0]), max(one[1], other[1])
