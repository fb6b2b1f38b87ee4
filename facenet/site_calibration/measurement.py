"""Measure a site: thresholds, probability curve, and how they differ from those of the evaluation."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from facenet.errors import DataInvalid
from facenet.evaluation.histogram import histogram_of
from facenet.evaluation.sample_size import SampleSize
from facenet.evaluation.sigmoid import Sigmoid
from facenet.evaluation.uncertainty import Interval, wilson_interval
from facenet.matching import Matcher
from facenet.site_calibration.calibration import SiteCalibration, SiteThreshold
from facenet.site_calibration.curve import site_curve
from facenet.site_calibration.people_pairs import PeoplePairs, chosen_rows, people_pairs
from facenet.site_calibration.reached_rate import ReachedRate, reached_rate
from facenet.site_calibration.thresholds import rate_thresholds

FARS = (1e-1, 1e-2, 1e-3, 1e-4, 1e-5)  # also measured, where at least one false accept is expected
LEAST_PEOPLE = 8  # with fewer the interval of any rate reaches from 0 to more than one half


@dataclass(frozen=True, kw_only=True)
class SitePoint:
    """What was measured for one target rate.

    reached: the false accept rate at `threshold`. true_accept_rate: mean over people with two photos, None
    without any, and its 95 % interval. missing_people, missing_pairs: how many more would support the rate;
    shortage: why it is not supported, else None. evaluation_threshold: the evaluation's for the same rate,
    None if it has none; evaluation_reached: the false accept rate that it has on these people.
    """

    far: float
    threshold: float
    reached: ReachedRate
    true_accept_rate: float | None
    true_accept_interval: Interval | None
    shortage: str | None
    missing_people: int
    missing_pairs: int
    evaluation_threshold: float | None
    evaluation_reached: ReachedRate | None


@dataclass(frozen=True, kw_only=True)
class SiteMeasurement:
    """A site calibration and what it rests on.

    points: by descending rate. pairs: that were compared. usable: number of photos, of which at most
    LARGEST were compared. curve: of the site, None if it cannot be fitted. evaluation_curve: that it
    replaces.
    """

    calibration: SiteCalibration
    points: tuple[SitePoint, ...]
    pairs: PeoplePairs
    usable: int
    curve: Sigmoid | None
    evaluation_curve: Sigmoid

    @property
    def default(self) -> SitePoint:
        """The point of the default target rate."""
        return next(point for point in self.points if point.far == self.calibration.far)


def measure_site(
    templates: npt.NDArray[np.float32],
    owners: Sequence[str],
    matcher: Matcher,
    *,
    far: float,
    name: str,
    model_digest: str,
    seed: int = 0,
) -> SiteMeasurement:
    """Return the calibration of a site.

    Args:
        templates: (M, D) of the photos.
        owners: the person of each.
        matcher: the evaluation's calibration.
        far: the target false accept rate, in (0, 1).
        name: of the site.
        model_digest: of the model that the templates are of.
        seed: of the choice of photos where there are too many.

    Raises:
        DataInvalid: there are fewer than LEAST_PEOPLE people.
    """
    people = len(set(owners))
    if people < LEAST_PEOPLE:
        raise DataInvalid(
            f"{people} people with a usable photo are too few to calibrate on: at least {LEAST_PEOPLE} are "
            "needed for any statement, and 40 for one that is supported. Add folders of other people."
        )
    rows = chosen_rows(owners, seed=seed)
    pairs = people_pairs(templates[rows], [owners[row] for row in rows], matcher.metric)
    worth = [rate for rate in FARS if rate * pairs.people_pairs >= 1]
    fars = tuple(sorted({far, *worth}, reverse=True))
    found = zip(fars, rate_thresholds(pairs, fars).tolist(), strict=True)
    points = tuple(_point(pairs, matcher, rate, threshold) for rate, threshold in found)
    curve = site_curve(pairs)
    different = np.concatenate([pairs.same, pairs.different])
    calibration = SiteCalibration(
        name=name,
        model_digest=model_digest,
        far=far,
        thresholds=tuple(_threshold(point) for point in points),
        slope=None if curve is None else curve.slope,
        intercept=None if curve is None else curve.intercept,
        people=pairs.people,
        people_pairs=pairs.people_pairs,
        photos=int(pairs.photos.sum()),
        histogram=histogram_of(different, np.arange(len(different)) < len(pairs.same)),
    )
    return SiteMeasurement(
        calibration=calibration,
        points=points,
        pairs=pairs,
        usable=len(owners),
        curve=curve,
        evaluation_curve=Sigmoid(matcher.slope, matcher.intercept),
    )


def _point(pairs: PeoplePairs, matcher: Matcher, far: float, threshold: float) -> SitePoint:
    size = SampleSize(pairs.people, pairs.people_pairs)
    missing_people, missing_pairs = size.missing(far)
    measured = {entry.far: entry.threshold for entry in matcher.thresholds}
    evaluated = measured.get(far)
    able = int((pairs.photos > 1).sum())
    rate = pairs.true_accept_rate(threshold) if able else None
    return SitePoint(
        far=far,
        threshold=threshold,
        reached=reached_rate(pairs.accepted(threshold), pairs.photos, target=far),
        true_accept_rate=rate,
        true_accept_interval=None if rate is None else wilson_interval(rate * able, able),
        shortage=size.shortage(far),
        missing_people=missing_people,
        missing_pairs=missing_pairs,
        evaluation_threshold=evaluated,
        evaluation_reached=(
            None if evaluated is None else reached_rate(pairs.accepted(evaluated), pairs.photos)
        ),
    )


def _threshold(point: SitePoint) -> SiteThreshold:
    return SiteThreshold(
        far=point.far,
        threshold=point.threshold,
        group=point.reached.group,
        long_run=point.reached.long_run,
        supported=point.shortage is None,
    )
