"""The bootstrap over people: how a metric would vary with another sample of people.

Pairs that share a person are not independent, so people are resampled with replacement, not pairs. A person
drawn c times has weight c in pairs of their own photos; a pair of two people has the product of their counts,
so both sides of it vary (A. B. Owen, The pigeonhole bootstrap, Annals of Applied Statistics 1, 2007). The
intervals are conservative, most of all where every person is in one pair only.
"""

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from facenet.evaluation.thresholds import Flags, Floats
from facenet.evaluation.uncertainty import Interval

CHUNK_DRAWS = 64  # draws whose weights are in memory at once
Codes = npt.NDArray[np.int64]


def bootstrap(
    statistic: Callable[[Floats], Floats], left: Codes, right: Codes, *, draws: int, seed: int
) -> Floats:
    """Return a statistic of B bootstrap draws of people, (B,) or (B, S).

    Args:
        statistic: takes the weights (b, P) of P pairs in b draws, and returns (b,) or (b, S).
        left: (P,) zero-based number of the person in the left photo of each pair.
        right: (P,) the same for the right photo.
        draws: B.
        seed: the same seed gives the same draws.
    """
    random, people = np.random.default_rng(seed), int(max(left.max(), right.max())) + 1
    same, results = left == right, []
    for start in range(0, draws, CHUNK_DRAWS):
        chunk = min(CHUNK_DRAWS, draws - start)
        counts = random.multinomial(people, np.full(people, 1 / people), chunk).astype(np.float64)
        results.append(statistic(counts[:, left] * np.where(same, 1, counts[:, right])))
    return np.concatenate(results)


def person_codes(left: npt.NDArray[np.str_], right: npt.NDArray[np.str_]) -> tuple[Codes, Codes]:
    """Return zero-based numbers for the (P,) names of the two people of each pair."""
    codes = np.unique(np.concatenate([left, right]), return_inverse=True)[1].astype(np.int64)
    return codes[: len(left)], codes[len(left) :]


def weighted_rate(weights: Floats, hits: Flags, among: Flags) -> Floats:
    """Return the (B,) weighted fractions of `hits` among the pairs `among`; NaN where these weigh nothing.

    weights: (B, P). hits, among: (P,).
    """
    total = weights @ among.astype(np.float64)
    reached = weights @ (hits & among).astype(np.float64)
    rates: Floats = np.divide(reached, total, out=np.full(len(total), np.nan), where=total > 0)
    return rates


def weighted_accuracy(weights: Floats, correct: Flags, same: Flags) -> Floats:
    """Return the (B,) weighted accuracies; the ratio of same to different pairs is held fixed."""
    classes = [(members, members.mean()) for members in (same, ~same) if members.any()]
    parts = [proportion * weighted_rate(weights, correct, members) for members, proportion in classes]
    return np.asarray(np.sum(parts, axis=0), np.float64)


def percentile_interval(values: Floats, confidence: float = 0.95) -> Interval:
    """Return the percentile interval of (B,) bootstrapped values, ignoring NaN.

    Raises:
        ValueError: all values are NaN.
    """
    if np.isnan(values).all():
        raise ValueError("an interval needs at least one draw that is not NaN")
    tail = (1 - confidence) / 2
    low, high = np.nanquantile(values, [tail, 1 - tail])
    return float(low), float(high)
