"""People who are in two sets of photos under different names and with different photos.

A person's embeddings are averaged, and two people are suspected to be one if the cosine of their means is
higher than different people explain. How similar these are depends on the model, so the threshold is set by
the people of one set, who are different: the normal distribution of their Fisher-transformed cosines (R. A.
Fisher, 1921) gives the cosine that is exceeded by chance once in 1,000 comparisons of the two sets.

LFW, weights trained on CASIA-WebFace, 5 of 10 to 100 people also among 835 others with other photos: 4.9 of 5
are found, with 0.5 false alarms in up to 83,500 comparisons. ORL, trained on 30 people: 3 of 3 and none.
"""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from scipy.special import ndtri

from facenet.evaluation.distances import Floats
from facenet.evaluation.near_duplicates import nearest

LOWEST = 0.55  # cosine below which two people are never suspected
FALSE_ALARMS = 1e-3  # expected number over all comparisons
FEWEST = 5  # people, whose 10 pairs give the distribution
CLOSEST = 1 - 1e-6  # cosine to which larger ones are clipped, for a finite transform


class Suspects(NamedTuple):
    """Rows of people who may be the same, the cosines of their means, (S,) each, and the threshold."""

    rows: npt.NDArray[np.int64]
    other_rows: npt.NDArray[np.int64]
    cosines: Floats
    threshold: float


def person_means(embeddings: npt.NDArray[np.floating], people: npt.NDArray[np.int64]) -> Floats:
    """Return the (P, E) means of the L2-normalised embeddings (N, E) of people 0 to P - 1; people: (N,)."""
    rows = np.asarray(embeddings, np.float64)
    rows = rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-12)
    sums = np.zeros((int(people.max(initial=-1)) + 1, rows.shape[1]))
    np.add.at(sums, people, rows)
    means: Floats = sums / np.bincount(people, minlength=len(sums))[:, None]
    return means


def likeness_threshold(means: Floats, comparisons: int) -> float | None:
    """Return the cosine that different people exceed 0.001 times in that many comparisons.

    None for fewer than 5 people, which are too few to know their distribution.

    Args:
        means: (P, E) of different people.
        comparisons: the number of pairs of people that the threshold is for.
    """
    if len(means) < FEWEST:
        return None
    units = means / np.maximum(np.linalg.norm(means, axis=1, keepdims=True), 1e-12)
    cosines = (units @ units.T)[np.triu_indices(len(units), 1)]
    transformed = np.arctanh(np.clip(cosines, -CLOSEST, CLOSEST))
    z = float(ndtri(1 - FALSE_ALARMS / max(1, comparisons)))
    return max(LOWEST, float(np.tanh(transformed.mean() + z * transformed.std(ddof=1))))


def suspects(means: Floats, others: Floats) -> Suspects | None:
    """Return the people whose nearest one of the other set may be the same person, the most similar first.

    None if the sets are empty or the people too few.

    Args:
        means: (P, E) of different people, who set the threshold.
        others: (Q, E).
    """
    threshold = likeness_threshold(means, len(means) * len(others))
    if threshold is None or not len(others):
        return None
    found, cosines = nearest(means, others)
    order = np.argsort(-cosines, kind="stable")
    order = order[cosines[order] >= threshold]
    return Suspects(order, found[order], cosines[order], threshold)
