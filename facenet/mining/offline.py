"""Triplets and pairs over a whole data set, drawn before training.

Rows are numbered by their place in `labels`. A data set has too many pairs to list, so they are numbered
instead: the pairs of one person stand together, and any number can be turned into its two rows.
"""

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

Indices = npt.NDArray[np.int64]
Generator = np.random.Generator

CHUNK_ELEMENTS = 2**24  # of a (pairs, N) matrix held at a time


class PositivePairs:
    """All unordered pairs of two rows with the same label, by number.

    Args:
        labels: (N,) int64, any values.
    """

    def __init__(self, labels: Indices) -> None:
        self._rows = np.argsort(labels, kind="stable").astype(np.int64)
        _, self._starts, counts = np.unique(labels[self._rows], return_index=True, return_counts=True)
        self._ends = np.cumsum(counts * (counts - 1) // 2)  # of the pair numbers of each person

    def __len__(self) -> int:
        return int(self._ends[-1]) if len(self._ends) else 0

    def rows(self, numbers: Indices) -> Indices:
        """Return the pairs with the given numbers, 0 to len - 1, as (M, 2) rows, the earlier row first."""
        person = np.searchsorted(self._ends, numbers, side="right")
        within = numbers - np.concatenate([[0], self._ends])[person]
        later = ((1 + np.sqrt(1 + 8 * within.astype(np.float64))) / 2).astype(np.int64)
        later -= later * (later - 1) // 2 > within  # the root may be rounded up across a whole number
        earlier = within - later * (later - 1) // 2
        places = self._starts[person][:, None] + np.stack([earlier, later], axis=1)
        rows: Indices = self._rows[places]
        return rows


def anchor_positive_pairs(labels: Indices, *, max_rows: int, rng: Generator) -> Indices:
    """Return all unordered pairs of rows of one person, (M, 2), or a random `max_rows` of them."""
    pairs = PositivePairs(labels)
    return pairs.rows(_sample(len(pairs), max_rows, rng))


def random_negatives(labels: Indices, anchors: Indices, *, rng: Generator) -> Indices:
    """Return for each anchor, (M,) rows, a row of another person, drawn evenly from all of them.

    Raises:
        ValueError: an anchor's person is the only one.
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
    places += np.where(places >= starts[own], counts[own], 0)  # steps over the anchor's own block
    return order[places]


def semihard_negatives(
    embeddings: npt.NDArray[np.float32], labels: Indices, pairs: Indices, *, margin: float, rng: Generator
) -> Indices:
    """Return for each pair a negative with d_ap < d_an < d_ap + margin, or -1 if there is none.

    Among several one is drawn evenly. Source: Schroff et al. 2015, arXiv 1503.03832.

    Args:
        embeddings: (N, E), L2-normalised.
        labels: (N,).
        pairs: (M, 2) anchor and positive rows.
        margin: in squared distance.
        rng: draws one number per pair.
    """
    draws = rng.random(len(pairs))
    negatives = np.full(len(pairs), -1, dtype=np.int64)
    for part in _chunks(len(pairs), len(labels)):
        anchors, positives = pairs[part].T
        d_ap = np.square(embeddings[anchors] - embeddings[positives]).sum(axis=1)[:, None]
        d_an = 2 - 2 * embeddings[anchors] @ embeddings.T
        semihard = (labels[anchors][:, None] != labels) & (d_an > d_ap) & (d_an < d_ap + margin)
        ranks = semihard.cumsum(axis=1)
        found = ranks[:, -1] > 0
        chosen = (draws[part] * ranks[:, -1]).astype(np.int64) + 1
        negatives[part] = np.where(found, (ranks >= chosen[:, None]).argmax(axis=1), -1)
    return negatives


def labelled_pairs(
    labels: Indices, *, max_rows: int, rng: Generator
) -> tuple[Indices, npt.NDArray[np.bool_]]:
    """Return as many different pairs of the same as of different people, at most `max_rows` in all.

    Returns:
        rows (M, 2), the earlier row first, in row order, and same (M,). M is 0 when a kind does not exist.
    """
    positive = PositivePairs(labels)
    negative_total = len(labels) * (len(labels) - 1) // 2 - len(positive)
    count = min(len(positive), negative_total, max_rows // 2)
    same = positive.rows(_sample(len(positive), count, rng))
    different = _different_pairs(labels, count, rng)
    rows = np.concatenate([same, different])
    is_same = np.arange(2 * count) < count
    order = np.lexsort((rows[:, 1], rows[:, 0]))
    return rows[order], is_same[order]


def _different_pairs(labels: Indices, count: int, rng: Generator) -> Indices:
    """Return `count` distinct unordered pairs of rows of two people each; they must exist."""
    chosen = np.empty(0, dtype=np.int64)
    while len(chosen) < count:
        anchors = rng.integers(0, len(labels), size=2 * (count - len(chosen)))
        others = rng.integers(0, len(labels), size=len(anchors))
        differ = labels[anchors] != labels[others]
        low, high = np.minimum(anchors, others)[differ], np.maximum(anchors, others)[differ]
        chosen = np.concatenate([chosen, low * len(labels) + high])
        chosen = chosen[np.sort(np.unique(chosen, return_index=True)[1])]  # in the order they were drawn
    return np.stack(np.divmod(chosen[:count], max(len(labels), 1)), axis=1)


def _sample(total: int, count: int, rng: Generator) -> Indices:
    """Return `count` of the numbers 0 to total - 1, or all of them if there are no more, in order."""
    if total <= count:
        return np.arange(total, dtype=np.int64)
    return np.sort(rng.choice(total, size=count, replace=False, shuffle=False)).astype(np.int64)


def _chunks(pairs: int, rows: int) -> Iterator[slice]:
    step = max(1, CHUNK_ELEMENTS // max(rows, 1))
    return (slice(start, start + step) for start in range(0, pairs, step))
