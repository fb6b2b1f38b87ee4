"""Which enrolled person a face shows, if any, from its distances to their photos.

Every enrolled photo is as likely as any other to be the one most like the probe, all together as likely as
the prior; else the probe is of an unknown person. The likelihood ratio r of a distance says how many times
likelier it is between two photos of one person than of two people. Bayes' rule gives each person, by the
nearest of their photos,

    prior / photos * r / (1 - prior + prior / photos * (sum of r over all people))

The sum over all of a person's photos instead would be right if these were independent. They are alike, and on
LFW, with three photos per person, it made probabilities too high (docs/decisions/0023-identification.md).
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from facenet.errors import ParamsInvalid
from facenet.evaluation.distances import Floats
from facenet.evaluation.gallery_calibration import GalleryCalibration
from facenet.matching import UNMEASURED, Matcher

CANDIDATES = 5
LIKELY = 0.5  # probability from which the best match is named if no FPIR is requested
EMPTY = "the gallery is empty"


@dataclass(frozen=True)
class Candidate:
    """A person, the distance to the nearest of their photos, and the probability that the face is theirs."""

    name: str
    distance: float
    probability: float


@dataclass(frozen=True, kw_only=True)
class Identification:
    """The answer for one face.

    name: the person, or None for unknown. best: the most similar person, whether or not accepted; distance
    and probability are theirs. threshold: of the distance, for `fpir`; None if the probability decided.
    fpir: target rate of unknown people who are named. photos: compared with. supported: whether the
    evaluation had enough people for this decision; reason: why not. candidates: nearest people first.
    """

    name: str | None
    best: str | None
    distance: float | None
    probability: float | None
    threshold: float | None
    fpir: float | None
    photos: int
    supported: bool
    reason: str | None
    candidates: tuple[Candidate, ...]

    def to_dict(self) -> dict[str, Any]:
        """Return the fields, candidates included, as plain values for JSON."""
        return {**asdict(self), "candidates": [asdict(candidate) for candidate in self.candidates]}

    def __str__(self) -> str:
        """Return the answer in one line."""
        if self.best is None or self.probability is None or self.distance is None:
            return f"unknown ({self.reason})"
        doubt = "" if self.supported else f"; not supported: {self.reason}"
        nearest = "" if self.name else f"; most similar: {self.best}"
        return (
            f"{self.name or 'unknown'}{nearest} (probability {self.probability:.3f}, distance "
            f"{self.distance:.3f}, {self.photos:,} photos{doubt})"
        )


class Identifier:
    """Decides with the calibration of a model.

    A model of an earlier version has no measurement in galleries: probabilities then come from its sigmoid of
    pairs, and are not supported.

    Without `fpir` the best match is named if its probability is at least 0.5. With it, the best match is
    named if its distance is below the threshold at which unknown people are named at that rate in a gallery
    of this size.

    Args:
        matcher: the calibration of the model.
        fpir: target false positive identification rate; None to decide by the probability.
        prior: probability, before looking, that the person is enrolled.
        candidates: maximum number of people in an answer.

    Raises:
        ValueError: the model has no thresholds for rates, or not for this one.
        ParamsInvalid: `prior` is not above 0 and below 1.
    """

    def __init__(
        self,
        matcher: Matcher,
        *,
        fpir: float | None = None,
        prior: float = 0.5,
        candidates: int = CANDIDATES,
    ) -> None:
        if not 0 < prior < 1:
            raise ParamsInvalid(f"prior is {prior!r}: a probability above 0 and below 1 is required.")
        if fpir is not None:
            matcher.galleries().threshold(fpir, 1)
        self._matcher, self._fpir, self._prior, self._candidates = matcher, fpir, prior, candidates
        self._calibration = matcher.identification or GalleryCalibration(
            people=matcher.people or 0, slope=matcher.slope, intercept=matcher.intercept
        )

    def identify(
        self,
        distances: npt.ArrayLike,
        people: Sequence[str],
        *,
        photos: int | None = None,
        choice: str | None = None,
    ) -> Identification:
        """Return the answer for one face.

        If only the nearest photos are given, the others count as being as near as the farthest of these, but
        at most with a likelihood ratio of 1, its mean between different people. This makes the probability
        smaller than that from all photos, by little if the farthest is far from the nearest.

        Args:
            distances: (K,) to the nearest enrolled photos, or to all, in any order.
            people: (K,) the person of each photo.
            photos: number of enrolled photos; K by default.
            choice: the best match according to another scorer; the person of the nearest photo by default.

        Raises:
            ValueError: `fpir` has no threshold for a gallery of this size, or the numbers do not agree.
        """
        values = np.asarray(distances, np.float64)
        total = len(values) if photos is None else photos
        if values.ndim != 1 or len(values) != len(people) or total < len(values):
            raise ValueError(
                f"{values.shape} distances, {len(people)} people and {total} photos do not agree"
            )
        if not total:
            return self._answer(None, total)
        candidates = self._rank(values, people, total)
        best = next((c for c in candidates if choice in (None, c.name)), None)
        if best is None:
            raise ValueError(f"no photo of the chosen person {choice!r} is among those compared")
        return replace(self._answer(best, total), candidates=tuple(candidates[: self._candidates]))

    def _rank(self, distances: Floats, people: Sequence[str], photos: int) -> list[Candidate]:
        """Return all people given, nearest first; equally near ones by name."""
        nearest: dict[str, float] = {}
        for name, distance in zip(people, distances.tolist(), strict=True):
            nearest[name] = min(distance, nearest.get(name, distance))
        order = sorted(nearest, key=lambda name: (nearest[name], name))
        ratios = self._calibration.likelihood_ratios([nearest[name] for name in order])
        missing = (photos - len(distances)) * min(1.0, float(ratios[-1]))
        share = self._prior / photos
        probabilities = share * ratios / (1 - self._prior + share * (float(ratios.sum()) + missing))
        rows = zip(order, probabilities.tolist(), strict=True)
        return [Candidate(name, nearest[name], probability) for name, probability in rows]

    def _answer(self, best: Candidate | None, photos: int) -> Identification:
        threshold, reason = self._threshold(photos)
        accepted = best is not None and (
            best.probability >= LIKELY if threshold is None else best.distance < threshold
        )
        return Identification(
            name=best.name if best and accepted else None,
            best=best.name if best else None,
            distance=best.distance if best else None,
            probability=best.probability if best else None,
            threshold=threshold,
            fpir=self._fpir,
            photos=photos,
            supported=reason is None,
            reason=reason,
            candidates=(),
        )

    def _threshold(self, photos: int) -> tuple[float | None, str | None]:
        """Return the threshold, if a rate is requested, and why the decision is not supported."""
        if not photos:
            return None, EMPTY
        if self._fpir is None:
            unmeasured = UNMEASURED if self._matcher.identification is None else None
            return None, self._matcher.shortage() or unmeasured or self._calibration.shortage()
        return (
            self._calibration.threshold(self._fpir, photos),
            self._calibration.shortage(self._fpir, photos),
        )
