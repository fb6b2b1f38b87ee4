"""What a system would do at a wanted rate of false accepts, and how much of that the sample can carry.

Thresholds come from the training folds and are judged on the fold left out; counts are over all scored folds.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from facenet.evaluation.bootstrap import Codes, bootstrap, percentile_interval, weighted_share
from facenet.evaluation.protocol import Measured
from facenet.evaluation.thresholds import ROUNDING, Flags, Floats, far_threshold
from facenet.evaluation.uncertainty import Interval, wilson_interval

FARS = (1e-1, 1e-2, 1e-3, 1e-4)
LEAST_ERRORS = 30  # expected, for an error rate within 30 % with confidence 90 % (Doddington, 2000)


@dataclass(frozen=True, kw_only=True)
class OperatingPoint:
    """One wanted rate of false accepts.

    threshold: mean over folds. negatives, positives: scored pairs behind `far` and `val`. Intervals: 95 %,
    the wider of the bootstrap over people and of Wilson's for independent pairs. That of `far` is of these
    thresholds. That of `val` is of the wanted rate: each draw chooses its own thresholds, for in a small
    sample most of what is uncertain about `val` is where the threshold lies.
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
    scored, same = measured.pairs.fold >= 0, measured.pairs.same
    strangers, positives = scored & ~same, scored & same

    def rates(weights: Floats) -> Floats:
        again = _decide_again(measured, fars, weights)[:, :, positives]
        total = weights[:, positives].sum(axis=1)
        found = (again * weights[:, positives]).sum(axis=2)
        true = np.divide(found, total, out=np.full(found.shape, np.nan), where=total > 0)
        false = [weighted_share(weights, accepted, strangers) for _, accepted in decided]
        return np.concatenate([false, true]).T

    drawn = bootstrap(rates, left, right, draws=draws, seed=seed)
    return [
        _point(far, threshold, accepted[scored], same[scored], drawn[:, [place, len(fars) + place]])
        for place, (far, (threshold, accepted)) in enumerate(zip(fars, decided, strict=True))
    ]


def _decide(measured: Measured, far: float) -> tuple[float, Flags]:
    """Return the mean threshold and which pairs are accepted when their fold is scored."""
    thresholds, accepted = [], np.zeros(len(measured.pairs.same), bool)
    for _, distances, test in measured.by_fold():
        thresholds.append(far_threshold(distances[~test], measured.pairs.same[~test], far))
        accepted[test] = distances[test] < thresholds[-1]
    return float(np.mean(thresholds)), accepted


def _decide_again(measured: Measured, fars: Sequence[float], weights: Floats) -> Flags:
    """Return which same pairs are accepted, (F, B, P), by the thresholds that (B, P) weights choose."""
    same, accepted = measured.pairs.same, np.zeros((len(fars), *weights.shape), bool)
    for _, distances, test in measured.by_fold():
        negatives = np.flatnonzero(~test & ~same)
        negatives = negatives[np.argsort(distances[negatives], kind="stable")]
        passed = np.cumsum(weights[:, negatives], axis=1)  # weight of the strangers up to each distance
        edges = np.append(distances[negatives], np.inf)
        for place, far in enumerate(fars):
            allowed = far * passed[:, -1:] + ROUNDING
            thresholds = edges[(passed <= allowed).sum(axis=1)]
            accepted[place][:, test & same] = distances[test & same] < thresholds[:, None]
    return accepted


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
