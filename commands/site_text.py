"""What `facenet calibrate` prints: for people, and as JSON."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from commands.output import as_text, printable

if TYPE_CHECKING:
    from facenet import FaceModel
    from facenet.evaluation.sigmoid import Sigmoid
    from facenet.evaluation.uncertainty import Interval
    from facenet.site_calibration.measurement import SiteMeasurement, SitePoint
    from facenet.site_calibration.reached_rate import ReachedRate

IDENTIFICATION = (
    "facenet identify keeps the evaluation's thresholds by size of the gallery, which are not transferred"
)


def rejections(counts: Counter[str]) -> str:
    """Return the numbers of rejected photos by reason, most frequent first."""
    ordered = sorted(counts.items(), key=lambda entry: (-entry[1], entry[0]))
    return ", ".join(f"{count} {reason.replace('_', ' ')}" for reason, count in ordered)


def text(measured: SiteMeasurement, rejected: str) -> str:
    """Return the measurement for people; rejected: the photos that were not used, in words."""
    site, point = measured.calibration, measured.default
    unused = f"; not used: {rejected}" if rejected else ""
    group, many = _span(point.reached.group), _span(point.reached.long_run)
    photos = f"{site.photos} photos"
    if measured.usable > site.photos:
        photos = f"{site.photos:,} of {measured.usable:,} photos, chosen at random"
    lines = [
        f"{printable(site.name)}: {site.people} people, {photos}{unused}",
        f"threshold {point.threshold:.4f} for FAR {point.far:g}",
        f"  95 % interval of the FAR of {site.people} other people like these: {group}; of many: {many}",
        *_claim(point),
        *_true_accepts(point),
        *_evaluation(point),
        *_curve(measured),
    ]
    if others := [other for other in measured.points if other is not point]:
        listed = "; ".join(f"FAR {p.far:g} {p.threshold:.4f}, {_span(p.reached.group)}" for p in others)
        lines.append(f"other rates: {listed}")
    return "\n".join([*lines, IDENTIFICATION]) + "\n"


def _claim(point: SitePoint) -> list[str]:
    if point.shortage is None:
        return ["  supported: there are enough people for this rate"]
    missing = f"{point.missing_people:,} more people, who bring {point.missing_pairs:,} more pairs of people"
    return [f"  not supported: {point.shortage}", f"  needed: {missing}"]


def _true_accepts(point: SitePoint) -> list[str]:
    if point.true_accept_rate is None or point.true_accept_interval is None:
        return ["  nobody has two photos, so how often one person matches is unknown"]
    rate = f"{point.true_accept_rate:.4f} ({_span(point.true_accept_interval)})"
    return [f"  true accept rate {rate}"]


def _evaluation(point: SitePoint) -> list[str]:
    if point.evaluation_threshold is None or point.evaluation_reached is None:
        return [f"  the evaluation has no threshold for FAR {point.far:g}"]
    rate, many = f"{point.evaluation_reached.rate:.4g}", _span(point.evaluation_reached.long_run)
    return [
        f"  the evaluation's threshold {point.evaluation_threshold:.4f} has a FAR of {rate} here ({many})"
    ]


def _curve(measured: SiteMeasurement) -> list[str]:
    evaluation, point = measured.evaluation_curve, measured.default
    if measured.curve is None:
        return ["probability: that of the evaluation; the photos do not give another one"]
    place = [f"{_midpoint(curve):.4f}" for curve in (measured.curve, evaluation)]
    at = [f"{float(c.probability(point.threshold)):.3f}" for c in (measured.curve, evaluation)]
    half, there = (
        f"probability 0.5 at distance {place[0]}, evaluation {place[1]}",
        f"{at[0]} at the threshold",
    )
    return [f"{half}; {there}, evaluation {at[1]}"]


def _midpoint(curve: Sigmoid) -> float:
    return curve.intercept / curve.slope


def _span(interval: Interval) -> str:
    return f"{interval[0]:.2g} to {interval[1]:.2g}"


def as_json(
    measured: SiteMeasurement,
    model: FaceModel,
    rejected: Sequence[tuple[str, str]],
    alike: Sequence[tuple[str, str, float]],
    stored: Sequence[str],
) -> dict[str, Any]:
    """Return everything for JSON; `far_interval` is that of another group of as many people.

    rejected: path and reason. alike: photos of two people that look like one. stored: where it was written.
    """
    site = measured.calibration
    curves = {"site": measured.curve, "evaluation": measured.evaluation_curve}
    return {
        "model": as_text(model.origin),
        "digest": model.digest,
        "site": as_text(site.name),
        "people": site.people,
        "people_pairs": site.people_pairs,
        "photos": site.photos,
        "usable_photos": measured.usable,
        "rejected": dict(sorted(Counter(reason for _, reason in rejected).items())),
        "rejected_photos": [{"path": as_text(path), "reason": reason} for path, reason in rejected],
        "look_alikes": [
            {"left": as_text(left), "right": as_text(right), "probability": probability}
            for left, right, probability in alike
        ],
        "confidence": 0.95,
        **_point(measured.default),
        "rates": [_point(point) for point in measured.points],
        "curves": {name: curve and _curve_json(curve) for name, curve in curves.items()},
        "identification": IDENTIFICATION,
        "written": [as_text(place) for place in stored],
    }


def _point(point: SitePoint) -> dict[str, Any]:
    evaluated = point.evaluation_reached
    return {
        "far": point.far,
        "threshold": point.threshold,
        **_reached(point.reached),
        "true_accept_rate": point.true_accept_rate,
        "true_accept_interval": point.true_accept_interval,
        "supported": point.shortage is None,
        "reason": point.shortage,
        "missing_people": point.missing_people,
        "missing_people_pairs": point.missing_pairs,
        "evaluation": {
            "threshold": point.evaluation_threshold,
            **({} if evaluated is None else _reached(evaluated)),
        },
    }


def _reached(reached: ReachedRate) -> dict[str, Any]:
    return {
        "far_measured": reached.rate,
        "far_interval": list(reached.group),
        "far_interval_long_run": list(reached.long_run),
        "independent_pairs": reached.trials,
    }


def _curve_json(curve: Sigmoid) -> dict[str, float]:
    return {"slope": curve.slope, "intercept": curve.intercept, "midpoint": _midpoint(curve)}
