"""True accepts at target false accept rates, and whether the sample is large enough to state them.

Thresholds are chosen on the training folds and evaluated on the held-out fold; counts are over all scored
folds.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from facenet.evaluation.bootstrap import Codes, bootstrap, percentile_interval, weighted_rate
from facenet.evaluation.protocol import Measured
from facenet.evaluation.sample_size import SampleSize
from facenet.evaluation.thresholds import ROUNDING, Flags, Floats, far_threshold
from facenet.evaluation.uncertainty import Interval, wilson_interval

FARS = (1e-1, 1e-2, 1e-3, 1e-4)


@dataclass(frozen=True, kw_only=True)
class OperatingPoint:
    """VAL at one target false accept rate.

    threshold: mean over folds. negatives, positives: number of scored pairs behind `far` and `val`. size: of
    the negatives in people. positive_people: number of people in the positives. Intervals: 95 %, the union of
    the bootstrap over people and of Wilson's for as many independent trials as there are pairs of people
    (`far`) or people (`val`). That of `far` holds at these thresholds. That of `val` holds at the target
    rate: each draw chooses its own thresholds, because in a small sample most of the uncertainty of `val` is
    that of the threshold.
    """

    far_target: float
    threshold: float
    negatives: int
    size: SampleSize
    false_accepts: int
    far: float
    far_interval: Interval
    positives: int
    positive_people: int
    true_accepts: int
    val: float
    val_interval: Interval

    @property
    def supported(self) -> bool:
        """Whether the negatives have enough people and pairs of people to state the rate."""
        return self.size.shortage(self.far_target) is None


def operating_points(
    measured: Measured,
    left: Codes,
    right: Codes,
    *,
    fars: Sequence[float] = FARS,
    draws: int = 1000,
    seed: int = 0,
) -> list[OperatingPoint]:
    """Return a point for each target false accept rate.

    Args:
        measured: distances of P pairs, with scored pairs of both classes.
        left: (P,) number of the person in the left photo of each pair.
        right: (P,) the same for the right photo.
        fars: target rates, each in (0, 1).
        draws: of the bootstrap.
        seed: of the bootstrap.
    """
    decided = [_decide(measured, far) for far in fars]
    scored, same = measured.pairs.fold >= 0, measured.pairs.same
    negatives, positives = scored & ~same, scored & same

    def rates(weights: Floats) -> Floats:
        redecided = _redecide(measured, fars, weights)[:, :, positives]
        total = weights[:, positives].sum(axis=1)
        hits = (redecided * weights[:, positives]).sum(axis=2)
        true = np.divide(hits, total, out=np.full(hits.shape, np.nan), where=total > 0)
        false = [weighted_rate(weights, accepted, negatives) for _, accepted in decided]
        return np.concatenate([false, true]).T

    drawn = bootstrap(rates, left, right, draws=draws, seed=seed)
    people = SampleSize.of(left[negatives], right[negatives]), len(np.unique(left[positives]))
    return [
        _point(
            far,
            threshold,
            accepted[scored],
            same[scored],
            people,
            drawn[:, [index, len(fars) + index]],
        )
        for index, (far, (threshold, accepted)) in enumerate(zip(fars, decided, strict=True))
    ]


def _decide(measured: Measured, far: float) -> tuple[float, Flags]:
    """Return the mean threshold, and whether each pair is accepted when its fold is scored."""
    thresholds, accepted = [], np.zeros(len(measured.pairs.same), bool)
    for _, distances, test in measured.by_fold():
        thresholds.append(far_threshold(distances[~test], measured.pairs.same[~test], far))
        accepted[test] = distances[test] < thresholds[-1]
    return float(np.mean(thresholds)), accepted


def _redecide(measured: Measured, fars: Sequence[float], weights: Floats) -> Flags:
    """Return whether same pairs are accepted, (F, B, P), at thresholds chosen under (B, P) weights."""
    same, accepted = measured.pairs.same, np.zeros((len(fars), *weights.shape), bool)
    for _, distances, test in measured.by_fold():
        negatives = np.flatnonzero(~test & ~same)
        negatives = negatives[np.argsort(distances[negatives], kind="stable")]
        passed = np.cumsum(weights[:, negatives], axis=1)  # weight of the different pairs up to each distance
        edges = np.append(distances[negatives], np.inf)
        for index, far in enumerate(fars):
            allowed = far * passed[:, -1:] + ROUNDING
            thresholds = edges[(passed <= allowed).sum(axis=1)]
            accepted[index][:, test & same] = distances[test & same] < thresholds[:, None]
    return accepted


def _point(
    far: float, threshold: float, hits: Flags, same: Flags, people: tuple[SampleSize, int], drawn: Floats
) -> OperatingPoint:
    counts = [(int((hits & members).sum()), int(members.sum())) for members in (~same, same)]
    (false, negatives), (true, positives) = counts
    size, positive_people = people
    pairs_wilson = wilson_interval(false / negatives * size.people_pairs, size.people_pairs)
    people_wilson = wilson_interval(true / positives * positive_people, positive_people)
    return OperatingPoint(
        far_target=far,
        threshold=threshold,
        negatives=negatives,
        size=size,
        false_accepts=false,
        far=false / negatives,
        far_interval=_union(pairs_wilson, percentile_interval(drawn[:, 0])),
        positives=positives,
        positive_people=positive_people,
        true_accepts=true,
        val=true / positives,
        val_interval=_union(people_wilson, percentile_interval(drawn[:, 1])),
    )


def _union(first: Interval, second: Interval) -> Interval:
    return min(first[0], second[0]), max(first[1], second[1])
