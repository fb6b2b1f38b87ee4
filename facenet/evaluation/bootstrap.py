"""The bootstrap over people: how a metric would vary, had other people been photographed.

Pairs that share a person are not independent, so people are drawn with replacement, not pairs. A person drawn
c times weighs c in pairs of their own photos; a pair of two people weighs the product, so that both ends of
it vary (A. B. Owen, The pigeonhole bootstrap, Annals of Applied Statistics 1, 2007). That errs, if at all, to
the wide side: most where every person is in one pair only.
"""

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from facenet.evaluation.thresholds import Flags, Floats
from facenet.evaluation.uncertainty import Interval

CHUNK_DRAWS = 64  # whose weights are held at a time
Codes = npt.NDArray[np.int64]


def bootstrap(
    statistic: Callable[[Floats], Floats], left: Codes, right: Codes, *, draws: int, seed: int
) -> Floats:
    """Return a statistic of each of B draws of people, (B,) or (B, S).

    Args:
        statistic: takes the weights (b, P) of P pairs in b draws, and returns (b,) or (b, S).
        left: (P,) number, from 0, of the person of the one photo of each pair.
        right: (P,) of the other photo.
        draws: B.
        seed: the same seed gives the same draws.
    """
    random, people = np.random.default_rng(seed), int(max(left.max(), right.max())) + 1
    same, found = left == right, []
    for start in range(0, draws, CHUNK_DRAWS):
        chunk = min(CHUNK_DRAWS, draws - start)
        counts = random.multinomial(people, np.full(people, 1 / people), chunk).astype(np.float64)
        found.append(statistic(counts[:, left] * np.where(same, 1, counts[:, right])))
    return np.concatenate(found)


def person_codes(left: npt.NDArray[np.str_], right: npt.NDArray[np.str_]) -> tuple[Codes, Codes]:
    """Return numbers from 0 in place of the (P,) names of the people at both ends of each pair."""
    codes = np.unique(np.concatenate([left, right]), return_inverse=True)[1].astype(np.int64)
    return codes[: len(left)], codes[len(left) :]


def weighted_share(weights: Floats, hits: Flags, among: Flags) -> Floats:
    """Return the (B,) shares of `hits` in the pairs `among`, both (P,), under (B, P) weights; NaN if none."""
    total = weights @ among.astype(np.float64)
    reached = weights @ (hits & among).astype(np.float64)
    shares: Floats = np.divide(reached, total, out=np.full(len(total), np.nan), where=total > 0)
    return shares


def weighted_accuracy(weights: Floats, right: Flags, same: Flags) -> Floats:
    """Return the (B,) shares of `right` decisions, the proportion of both kinds of pairs being as it is."""
    kinds = [(kind, kind.mean()) for kind in (same, ~same) if kind.any()]
    shares = [proportion * weighted_share(weights, right, kind) for kind, proportion in kinds]
    return np.asarray(np.sum(shares, axis=0), np.float64)


def percentile_interval(values: Floats, confidence: float = 0.95) -> Interval:
    """Return the percentile interval of (B,) bootstrapped values, those that are NaN left out.

    Raises:
        ValueError: not one is a number.
    """
    if np.isnan(values).all():
        raise ValueError("an interval needs at least one draw with a value")
    tail = (1 - confidence) / 2
    low, high = np.nanquantile(values, [tail, 1 - tail])
    return float(low), float(high)
