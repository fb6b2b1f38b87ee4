"""What an evaluation measured about identification in galleries; a part of calibration.json."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from facenet.evaluation.distances import Floats
from facenet.evaluation.sample_size import SampleSize
from facenet.evaluation.sigmoid import Sigmoid

FPIRS = (0.3, 0.1, 0.03, 0.01, 0.003, 0.001)
ROUNDING = 1e-9


@dataclass(frozen=True, kw_only=True)
class GalleryCalibration:
    """Thresholds by size of the gallery and target FPIR, and the sigmoid of the likelihood ratio.

    FPIR, false positive identification rate: fraction of probes of unknown people identified as anyone.

    people: evaluated, whose photos were both probes and galleries. slope, intercept: of the log likelihood
    ratio of a match, intercept - slope * distance. sizes: ascending numbers of enrolled photos. fpirs:
    descending target rates. thresholds: of the distance, one row per size and one column per rate; empty if
    there were too few people.
    """

    people: int
    slope: float
    intercept: float
    sizes: tuple[int, ...] = ()
    fpirs: tuple[float, ...] = ()
    thresholds: tuple[tuple[float, ...], ...] = ()

    @property
    def people_pairs(self) -> int:
        """The number of pairs of people behind the rates."""
        return self.people * (self.people - 1) // 2

    def likelihood_ratios(self, distances: npt.ArrayLike) -> Floats:
        """Return how many times likelier each distance is between photos of one person than of two."""
        odds = self.intercept - self.slope * np.asarray(distances, np.float64)
        return np.asarray(np.exp(np.clip(odds, -500, 500)), np.float64)

    def threshold(self, fpir: float, photos: int) -> float:
        """Return the distance below which the nearest of `photos` enrolled photos is accepted at `fpir`.

        Linear between measured values, in the logarithms of size and rate. Above the largest measured size M
        the rate is at most photos / M times that in a gallery of M photos (union bound), which gives a
        threshold with a lower rate than requested.

        Raises:
            ValueError: the evaluation had too few people, or the rate is outside the measured range.
        """
        if not self.thresholds:
            raise ValueError(f"there is no threshold for FPIR {fpir:g}: {self.shortage()}")
        beyond = max(1.0, photos / self.sizes[-1])
        highest, lowest = self.fpirs[0], self.fpirs[-1]
        if not lowest * (1 - ROUNDING) <= fpir / beyond or not fpir <= highest * (1 + ROUNDING):
            raise ValueError(
                f"there is no threshold for FPIR {fpir:g} in a gallery of {photos:,} photos: rates of "
                f"{lowest:g} to {highest:g} were measured in galleries of up to {self.sizes[-1]:,} photos"
            )
        rates = np.log(self.fpirs[::-1])
        at_size = [float(np.interp(np.log(fpir / beyond), rates, row[::-1])) for row in self.thresholds]
        return float(np.interp(np.log(max(photos, 1)), np.log(self.sizes), at_size))

    def shortage(self, fpir: float | None = None, photos: int = 1) -> str | None:
        """Return why the evaluation does not support probabilities, or `fpir` in such a gallery; else None.

        FPIR f in a gallery of N photos is a false accept rate of about f / N per comparison, and needs as
        many pairs of people as that.
        """
        size = SampleSize(self.people, self.people_pairs)
        if fpir is None or size.shortage() is not None:
            return size.shortage()
        if size.shortage(fpir / max(photos, 1)) is None:
            return None
        largest = size.supported(fpir)
        return (
            f"measured on {self.people_pairs:,} pairs of people, which support FPIR {fpir:g} in galleries of "
            f"up to {largest:,} photos; this one has {photos:,}"
        )

    @property
    def sigmoid(self) -> Sigmoid:
        """The log likelihood ratio of a match."""
        return Sigmoid(self.slope, self.intercept)

    @classmethod
    def parse(cls, fields: Mapping[str, Any]) -> Self:
        """Return the calibration stored as JSON.

        Raises:
            ValueError, TypeError, KeyError: a field is missing, unknown or of the wrong shape.
        """
        given: dict[str, Any] = dict(fields)
        rows: Sequence[Sequence[float]] = given.pop("thresholds")
        thresholds = tuple(tuple(map(float, row)) for row in rows)
        made = cls(
            sizes=tuple(given.pop("sizes")), fpirs=tuple(given.pop("fpirs")), thresholds=thresholds, **given
        )
        if {len(row) for row in thresholds} - {len(made.fpirs)} or len(thresholds) not in (
            0,
            len(made.sizes),
        ):
            raise ValueError("identification.thresholds needs a row per size with a value per FPIR")
        return made
