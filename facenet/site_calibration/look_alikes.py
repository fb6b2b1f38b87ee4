"""Photos of two people that look like one: a photo in the wrong folder, or one person in two folders."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from facenet.matching import Matcher

# With 24 people of LFW and the pretrained model, one site in eleven has such a pair by chance, and 87 % of
# the photos that were put into another person's folder are in one.
PROBABILITY = 0.999
BLOCK = 256  # photos whose distances to all others are in memory at once


@dataclass(frozen=True)
class LookAlike:
    """Two photos by their rows, left < right, and the probability that they show one person."""

    left: int
    right: int
    probability: float


def look_alikes(
    templates: npt.NDArray[np.float32], owners: Sequence[str], matcher: Matcher, least: float = PROBABILITY
) -> list[LookAlike]:
    """Return the most similar photos of every two people who look like one, most probable first.

    Args:
        templates: (M, D).
        owners: the person of each.
        matcher: the evaluation's calibration, whose probability does not depend on these photos.
        least: minimum probability, at even prior odds.
    """
    codes = np.unique(np.asarray(owners), return_inverse=True)[1]
    nearest: dict[tuple[int, int], LookAlike] = {}
    for start in range(0, len(codes), BLOCK):
        distances = matcher.template_distances(templates[start : start + BLOCK], templates)
        probabilities = matcher.probability(distances)
        rows = np.arange(start, start + len(probabilities))
        different = codes[rows][:, None] != codes[None]
        later = np.arange(len(codes))[None] > rows[:, None]
        for row, right in zip(*np.nonzero((probabilities >= least) & different & later), strict=True):
            found = LookAlike(start + int(row), int(right), float(probabilities[row, right]))
            low, high = sorted((int(codes[found.left]), int(codes[found.right])))
            best = nearest.setdefault((low, high), found)
            if found.probability > best.probability:
                nearest[low, high] = found
    return sorted(nearest.values(), key=lambda found: (-found.probability, found.left, found.right))
