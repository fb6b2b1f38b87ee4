"""Triplets and pairs over a whole data set, drawn before training or between epochs.

Rows are numbered by their position in `labels`. A data set has too many pairs to list, so pairs are numbered
instead: those of one person are consecutive, and any number can be converted to its two rows.
"""

from collections.abc import Iterator
from typing import Literal

import numpy as np
import numpy.typing as npt

Indices = npt.NDArray[np.int64]
Embeddings = npt.NDArray[np.float32]
Generator = np.random.Generator
Strategy = Literal["semihard", "hard", "vgg", "farther"]

CHUNK_ELEMENTS = 2**24  # of a (pairs, N) matrix in memory at once


class PositivePairs:
    """All unordered pairs of rows with the same label, by number.

    Args:
        labels: (N,) int64, any values.
    """

    def __init__(self, labels: Indices) -> None:
        self._rows = np.argsort(labels, kind="stable").astype(np.int64)
        _, self._starts, counts = np.unique(labels[self._rows], return_index=True, return_counts=True)
        self._ends = np.cumsum(counts * (counts - 1) // 2)  # of the range of pair numbers of each person

    def __len__(self) -> int:
        return int(self._ends[-1]) if len(self._ends) else 0

    def rows(self, numbers: Indices) -> Indices:
        """Return the pairs with the given numbers, 0 to len - 1, as (M, 2) rows, the earlier row first."""
        person = np.searchsorted(self._ends, numbers, side="right")
        within = numbers - np.concatenate([[0], self._ends])[person]
        later = ((1 + np.sqrt(1 + 8 * within.astype(np.float64))) / 2).astype(np.int64)
        later -= later * (later - 1) // 2 > within  # rounding may push the root across an integer
        earlier = within - later * (later - 1) // 2
        places = self._starts[person][:, None] + np.stack([earlier, later], axis=1)
        rows: Indices = self._rows[places]
        return rows

    def sample(self, count: int, rng: Generator) -> Indices:
        """Return `count` pair numbers in order, or all of them if there are fewer.

        People with the most pairs lose the most: all who lose any keep the same number, give or take one. A
        few people with hundreds of photos would dominate otherwise.
        """
        if len(self) <= count:
            return np.arange(len(self), dtype=np.int64)
        sizes = np.diff(self._ends, prepend=0)
        quotas = level(sizes, count, rng)
        starts = self._ends - sizes
        drawn = [
            start + (np.arange(size) if quota == size else rng.choice(size, quota, False, shuffle=False))
            for start, size, quota in zip(starts, sizes, quotas, strict=True)
        ]
        return np.sort(np.concatenate(drawn)).astype(np.int64)


def anchor_positive_pairs(labels: Indices, *, max_rows: int, rng: Generator) -> Indices:
    """Return all unordered pairs of rows of one person, (M, 2), or a sample of `max_rows` of them."""
    pairs = PositivePairs(labels)
    return pairs.rows(pairs.sample(max_rows, rng))


def random_negatives(labels: Indices, anchors: Indices, *, rng: Generator) -> Indices:
    """Return for each anchor, (M,) rows, a row of another person, drawn uniformly from all of them.

    Raises:
        ValueError: there is only one person.
    """
    order = np.argsort(labels, kind="stable").astype(np.int64)
    _, starts, people, counts = np.unique(
        labels[order], return_index=True, return_inverse=True, return_counts=True
    )
    person = np.empty(len(labels), dtype=np.int64)
    person[order] = people
    own = person[anchors]
    others = len(labels) - counts[own]
    if np.any(others == 0):
        raise ValueError("there is only one person: no row can be a negative")
    places = rng.integers(0, others)
    places += np.where(places >= starts[own], counts[own], 0)  # skips the block of the anchor's person
    return order[places]


def mine_negatives(
    embeddings: Embeddings,
    labels: Indices,
    pairs: Indices,
    *,
    strategy: Strategy,
    margin: float,
    rng: Generator,
) -> Indices:
    """Return for each pair a negative that `strategy` allows, drawn uniformly, or -1 if there is none.

    Args:
        embeddings: (N, E), not necessarily normalised.
        labels: (N,).
        pairs: (M, 2) anchor and positive rows.
        strategy: semihard, d_ap < d_an < d_ap + margin (Schroff et al. 2015, arXiv 1503.03832); hard, d_an <
            d_ap; vgg, d_an < d_ap + margin (Parkhi et al. 2015); farther, always the nearest one
            with d_an > d_ap.
        margin: in squared distance.
        rng: draws one number per pair.
    """
    draws = rng.random(len(pairs))
    negatives = np.full(len(pairs), -1, dtype=np.int64)
    rows = embeddings.astype(np.float64)  # the product below would lose most digits of long embeddings
    squares = np.square(rows).sum(axis=1)
    for part in _chunks(len(pairs), len(labels)):
        anchors, positives = pairs[part].T
        d_ap = np.square(rows[anchors] - rows[positives]).sum(axis=1)[:, None]
        d_an = squares[anchors][:, None] + squares - 2 * rows[anchors] @ rows.T
        other = labels[anchors][:, None] != labels
        if strategy == "farther":
            d_an = np.where(other & (d_an > d_ap), d_an, np.inf)
            nearest = d_an.argmin(axis=1)
            found = np.isfinite(d_an[np.arange(len(nearest)), nearest])
            negatives[part] = np.where(found, nearest, -1)
            continue
        allowed = other & (d_an < (d_ap if strategy == "hard" else d_ap + margin))
        if strategy == "semihard":
            allowed &= d_an > d_ap
        ranks = allowed.cumsum(axis=1)
        found = ranks[:, -1] > 0
        chosen = (draws[part] * ranks[:, -1]).astype(np.int64) + 1
        negatives[part] = np.where(found, (ranks >= chosen[:, None]).argmax(axis=1), -1)
    return negatives


def hardest_pairs(embeddings: Embeddings, labels: Indices, anchors: Indices) -> tuple[Indices, Indices]:
    """Return for each anchor the farthest row of its person and the nearest row of another, (A,) each.

    The first of equals; -1 where there is none.

    Args:
        embeddings: (N, E), not necessarily normalised.
        labels: (N,).
        anchors: (A,) rows.
    """
    positives, negatives = np.full((2, len(anchors)), -1, dtype=np.int64)
    rows = embeddings.astype(np.float64)
    squares = np.square(rows).sum(axis=1)
    for part in _chunks(len(anchors), len(labels)):
        own = anchors[part]
        distances = squares[own][:, None] + squares - 2 * rows[own] @ rows.T
        same = labels[own][:, None] == labels
        negatives[part] = np.where(same.all(axis=1), -1, np.where(same, np.inf, distances).argmin(axis=1))
        same[np.arange(len(own)), own] = False
        positives[part] = np.where(same.any(axis=1), np.where(same, distances, -np.inf).argmax(axis=1), -1)
    return positives, negatives


def remine(
    embeddings: Embeddings, labels: Indices, *, margin: float, max_rows: int, rng: Generator
) -> Indices:
    """Return the triplets of an epoch: every anchor-positive pair with a semi-hard negative, shuffled.

    To be called in each epoch with the current embeddings, as Schroff et al. 2015 describe for whole data
    sets. Pairs without a semi-hard negative are dropped.

    Args:
        embeddings: (N, E), not necessarily normalised.
        labels: (N,).
        margin: in squared distance.
        max_rows: maximum number of pairs to use; of more, a sample, see PositivePairs.
        rng: of sample, negatives and order.

    Returns:
        (T, 3) rows: anchor, positive, negative; the anchor is the earlier row of its pair.
    """
    pairs = anchor_positive_pairs(labels, max_rows=max_rows, rng=rng)
    negatives = mine_negatives(embeddings, labels, pairs, strategy="semihard", margin=margin, rng=rng)
    return shuffled_triplets(pairs, negatives, rng=rng)


def shuffled_triplets(pairs: Indices, negatives: Indices, *, rng: Generator) -> Indices:
    """Return (T, 3) triplets, in random order, of the pairs (M, 2) whose negative (M,) is not -1."""
    found = negatives >= 0
    triplets = np.column_stack([pairs[found], negatives[found]])
    return rng.permutation(triplets)


def labelled_pairs(
    labels: Indices, *, max_rows: int, rng: Generator
) -> tuple[Indices, npt.NDArray[np.bool_]]:
    """Return distinct pairs, half of the same person and half of different people, at most `max_rows` in all.

    Returns:
        rows (M, 2), the earlier row first, in row order, and same (M,). M is 0 if either class is empty.
    """
    positive = PositivePairs(labels)
    negative_total = len(labels) * (len(labels) - 1) // 2 - len(positive)
    count = min(len(positive), negative_total, max_rows // 2)
    same = positive.rows(positive.sample(count, rng))
    different = _different_pairs(labels, count, rng)
    rows = np.concatenate([same, different])
    is_same = np.arange(2 * count) < count
    order = np.lexsort((rows[:, 1], rows[:, 0]))
    return rows[order], is_same[order]


def level(sizes: Indices, count: int, rng: Generator) -> Indices:
    """Return how many to take of each of `sizes`, `count` in all, capping the largest at one level.

    The remainder goes to random sizes above the level, one each. `count` is below the sum of sizes.
    """
    low, high = 0, int(sizes.max())  # the level is at least low and below high
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if np.minimum(sizes, middle).sum() <= count else (low, middle)
    quotas = np.minimum(sizes, low)
    above = rng.permutation(np.flatnonzero(sizes > low))
    quotas[above[: count - quotas.sum()]] += 1
    return quotas


def _different_pairs(labels: Indices, count: int, rng: Generator) -> Indices:
    """Return `count` distinct unordered pairs of rows of different people; so many must exist."""
    chosen = np.empty(0, dtype=np.int64)
    while len(chosen) < count:
        anchors = rng.integers(0, len(labels), size=2 * (count - len(chosen)))
        others = rng.integers(0, len(labels), size=len(anchors))
        differ = labels[anchors] != labels[others]
        low, high = np.minimum(anchors, others)[differ], np.maximum(anchors, others)[differ]
        chosen = np.concatenate([chosen, low * len(labels) + high])
        chosen = chosen[np.sort(np.unique(chosen, return_index=True)[1])]  # in the order drawn
    return np.stack(np.divmod(chosen[:count], max(len(labels), 1)), axis=1)


def _chunks(pairs: int, rows: int) -> Iterator[slice]:
    step = max(1, CHUNK_ELEMENTS // max(rows, 1))
    return (slice(start, start + step) for start in range(0, pairs, step))
