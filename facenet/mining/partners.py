"""Pairs of each image with same and different partners, the sets S and D of a Siamese network's pair file."""

import numpy as np
import numpy.typing as npt

from facenet.mining.offline import Generator, Indices, level


def partner_counts(labels: Indices, partners: int) -> Indices:
    """Return how many same partners each row gets, and how many different ones, (N,).

    `partners`, or as many as the rarer class allows: a row of a person with n photos can have n - 1 same and
    N - n different partners. Rows of people with one photo get none.

    Args:
        labels: (N,) int64, any values.
        partners: maximum per row and class, at least 1.
    """
    _, people, counts = np.unique(labels, return_inverse=True, return_counts=True)
    photos = counts[people]
    found: Indices = np.minimum(np.minimum(photos - 1, len(labels) - photos), partners)
    return found


def partner_pairs(
    labels: Indices, *, partners: int, max_rows: int, rng: Generator
) -> tuple[Indices, npt.NDArray[np.bool_]]:
    """Return pairs of each row with its partners, half of them of the same person, at most `max_rows`.

    The partners of a row are distinct and drawn uniformly. Each row has its own sets, so two rows that drew
    each other form two pairs, one from either side. Above `max_rows`, rows with the most partners lose the
    most: all that lose any keep the same number, give or take one. Each row keeps its balance.

    Args:
        labels: (N,) int64, any values.
        partners: maximum per row and class, at least 1; see `partner_counts`.
        max_rows: maximum number of pairs.
        rng: draws the partners and, above `max_rows`, the rows that keep one more.

    Returns:
        pairs (M, 2), a row and its partner, in row order, and same (M,).
    """
    counts = partner_counts(labels, partners)
    if 2 * counts.sum() > max_rows:
        counts = level(counts, max_rows // 2, rng)
    order = np.argsort(labels, kind="stable")
    _, starts, people, sizes = np.unique(
        labels[order], return_index=True, return_inverse=True, return_counts=True
    )
    drawn = [np.empty((2, 0), np.int64)]
    for place in np.flatnonzero(counts[order]):  # in `order`, a person's rows are consecutive
        count, start, size = counts[order[place]], starts[people[place]], sizes[people[place]]
        same = start + rng.choice(size - 1, count, replace=False, shuffle=False)
        different = rng.choice(len(labels) - size, count, replace=False, shuffle=False)
        same += same >= place  # skips the row itself
        different += np.where(different >= start, size, 0)  # skips the block of its person
        drawn.append(np.stack([np.full(2 * count, place), np.concatenate([same, different])]))
    pairs = order[np.concatenate(drawn, axis=1).T]
    pairs = pairs[np.lexsort((pairs[:, 1], pairs[:, 0]))]
    return pairs, labels[pairs[:, 0]] == labels[pairs[:, 1]]
