"""The distances of an evaluation's pairs as counts, to show a new distance among them."""

from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import numpy.typing as npt

BINS = 60


@dataclass(frozen=True, kw_only=True)
class Histogram:
    """Counts of pairs by distance, in bins of equal width from 0.

    width: of a bin. same, different: pairs of one person, and of two.
    """

    width: float
    same: tuple[int, ...]
    different: tuple[int, ...]

    @classmethod
    def parse(cls, fields: dict[str, Any]) -> Self:
        """Return the histogram of its JSON object.

        Raises:
            TypeError: a field is missing or unknown.
        """
        return cls(**{**fields, "same": tuple(fields["same"]), "different": tuple(fields["different"])})


def histogram_of(distances: npt.ArrayLike, same: npt.ArrayLike) -> Histogram:
    """Return the histogram of (P,) distances of pairs; same: (P,) whether a pair shows one person."""
    values, flags = np.asarray(distances, np.float64), np.asarray(same, bool)
    largest = float(values.max(initial=0.0)) or 1.0
    counts = [np.histogram(values[kind], BINS, (0.0, largest))[0].tolist() for kind in (flags, ~flags)]
    return Histogram(width=largest / BINS, same=tuple(counts[0]), different=tuple(counts[1]))
