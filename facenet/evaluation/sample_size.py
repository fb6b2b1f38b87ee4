"""Whether an evaluation has enough people to state rates for other people.

Pairs that share a person are not independent, so pairs of photos do not count: the 6,000 pairs of ten people
are 45 pairs of people. LFW, weights trained on CASIA-WebFace, n people with six photos each: the threshold
for FAR 0.1 has a FAR on other people of 0.005 to 0.444 with n = 10, 0.031 to 0.265 with 20, and 0.045 to
0.129 with 40. From 40 people on, subtracting their mean improves the accuracy.
"""

from dataclasses import dataclass
from typing import Self

import numpy as np

from facenet.evaluation.distances import Rows

LEAST_PEOPLE = 40
LEAST_ERRORS = 30  # expected errors, for a rate within 30 % at 90 % confidence (Doddington, 2000)
ROUNDING = 1e-9


@dataclass(frozen=True)
class SampleSize:
    """The people of different pairs, and the number of distinct pairs of people among these."""

    people: int
    people_pairs: int

    @classmethod
    def of(cls, left: Rows, right: Rows) -> Self:
        """Return the size of P different pairs; left, right: (P,) numbers of their people."""
        ordered = np.sort(np.stack([left, right], axis=1), axis=1)
        return cls(len(np.unique(ordered)), len(np.unique(ordered, axis=0)))

    def shortage(self, far: float | None = None) -> str | None:
        """Return why the sample is too small for any rate, or for false accept rate `far`; else None."""
        if self.people < LEAST_PEOPLE:
            return f"measured on {self.people} people; at least {LEAST_PEOPLE} are needed"
        if far is not None and far * self.people_pairs < LEAST_ERRORS * (1 - ROUNDING):
            needed = int(np.ceil(LEAST_ERRORS / far - ROUNDING))
            return (
                f"measured on {self.people_pairs:,} pairs of people; a false accept rate of {far:g} needs at "
                f"least {needed:,}"
            )
        return None

    def missing(self, far: float) -> tuple[int, int]:
        """Return how many more people, and pairs of people, would support false accept rate `far`.

        As if every two people were compared, also the ones that are missing.
        """
        pairs = int(np.ceil(LEAST_ERRORS / far - ROUNDING))
        people = max(LEAST_PEOPLE, int(np.ceil((1 + np.sqrt(1 + 8 * pairs)) / 2 - ROUNDING)))
        compared = people * (people - 1) // 2
        return max(0, people - self.people), max(0, compared - self.people_pairs)

    def supported(self, fpir: float) -> int:
        """Return the largest gallery, in photos, in which the sample supports a rate `fpir`; 0: none."""
        return int(np.floor(fpir * self.people_pairs / LEAST_ERRORS + ROUNDING))
