"""Where the false accept rate of a threshold will lie for other people.

People are the sampling unit. The variance of the rate between samples of n people comes from a jackknife that
leaves out one person with all their pairs (J. N. Arvesen, Jackknifing U-statistics, Annals of Mathematical
Statistics 40, 1969). It is expressed as the number of independent pairs of people that would have the same
variance, and the exact binomial interval for that number is taken, corrected for the few people behind the
variance (E. L. Korn and B. I. Graubard, Confidence intervals for proportions with small expected number of
positive counts estimated from survey data, Survey Methodology 24, 1998).

With few false accepts the jackknife knows little, so the number is drawn towards the number of pairs of
people: geometrically, with the weight of one false accept.

The rate of another group of n people varies as well. Its interval is that of a sample as many times smaller
as the two variances together are larger, and reaches down to 0 if a group without any false accept is likely
enough. Somebody else may count photo pairs instead of pairs of people, so a group in which a few people have
most of the photos varies more: at least as if there were fewer people, by Kish's formula, and as much as the
jackknife finds for that way of counting.

Coverage was measured on LFW with two models, 4 to 100 people with 2 to 530 photos, and FAR 0.1 to 0.001:
docs/decisions/0030-site-calibration.md.
"""

from dataclasses import dataclass

import numpy as np
from scipy.special import betaincinv, ndtri, stdtrit

from facenet.evaluation.distances import Floats, Rows
from facenet.evaluation.uncertainty import Interval

MOST = 8  # a jackknife may find at most this many times the number of pairs of people
MOST_UNEVEN = 4  # and at most this many times the variance that Kish's formula gives


@dataclass(frozen=True, kw_only=True)
class ReachedRate:
    """A false accept rate and where it lies for other people, with 95 % confidence.

    rate: measured. group: of another group of as many people. long_run: of all people like these. trials:
    number of independent pairs of people that the sample is worth.
    """

    rate: float
    group: Interval
    long_run: Interval
    trials: float


def reached_rate(accepted: Floats, photos: Rows, *, target: float | None = None) -> ReachedRate:
    """Return the rate at a threshold, with its intervals.

    Args:
        accepted: (n, n) fractions of accepted photo pairs of every two people, n at least 3; symmetric, zeros
            on the diagonal.
        photos: (n,) number of photos of each person.
        target: the rate that the threshold was chosen for on these people; None for a threshold that does not
            depend on them.
    """
    people = len(photos)
    pairs = people * (people - 1) / 2
    rate = float(accepted.sum()) / (2 * pairs)
    expected = rate if target is None else target
    trials = effective_pairs(accepted, expected)
    return ReachedRate(
        rate=rate,
        group=_interval(expected, trials, 1 + _group_variance(accepted, photos)),
        long_run=_interval(expected, trials, 1.0),
        trials=trials,
    )


def _group_variance(accepted: Floats, photos: Rows) -> float:
    """Return the variance of a group's rate over photo pairs, in units of that over pairs of people."""
    uneven = len(photos) * float(np.square(photos).sum()) / float(photos.sum()) ** 2  # n over Kish's n
    weights = np.outer(photos, photos).astype(np.float64)
    np.fill_diagonal(weights, 0)
    people, pooled = jackknife_variance(accepted), jackknife_variance(accepted, weights)
    return float(np.clip(pooled / people, uneven, MOST_UNEVEN * uneven)) if people > 0 else uneven


def effective_pairs(accepted: Floats, rate: float) -> float:
    """Return how many independent pairs of people an expected rate measured on n people is worth."""
    people = len(accepted)
    pairs = people * (people - 1) / 2
    spread = rate * (1 - rate)
    variance = jackknife_variance(accepted)
    found = float(np.clip(spread / variance if variance > 0 else np.inf, 1, MOST * pairs))
    weight = 1 / (1 + pairs * min(rate, 1 - rate))
    few = float((ndtri(0.975) / stdtrit(people - 1, 0.975)) ** 2)
    return float(pairs**weight * found ** (1 - weight)) * few


def jackknife_variance(accepted: Floats, weights: Floats | None = None) -> float:
    """Return the variance of the mean over pairs of people, from leaving out one person at a time.

    accepted: (n, n), symmetric, zeros on the diagonal. weights: (n, n) of the pairs, likewise; None: all 1.
    """
    people = len(accepted)
    if weights is None:
        weights = 1 - np.eye(people)
    hits = accepted * weights
    left = (hits.sum() - 2 * hits.sum(axis=1)) / (weights.sum() - 2 * weights.sum(axis=1))
    return float((people - 1) / people * np.square(left - left.mean()).sum())


def _interval(rate: float, trials: float, spread: float, confidence: float = 0.95) -> Interval:
    """Return the interval of a rate; spread: its variance, 1 for that of `trials` independent trials."""
    tail, accepts = (1 - confidence) / 2, rate * trials
    low, high = 0.0, 1.0
    none = ((spread - 1) / spread) ** (accepts + 1)  # probability of a group without a false accept
    if accepts > 0 and none <= tail:
        low = float(betaincinv(accepts / spread, (trials - accepts + 1) / spread, tail))
    if accepts < trials:
        high = float(betaincinv((accepts + 1) / spread, max(trials - accepts, 1) / spread, 1 - tail))
    return low, high
