"""Operating points and calibration: their tables, and the calibration file that serving uses."""

import logging
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from facenet.evaluation.bootstrap import bootstrap, percentile_interval, weighted_accuracy
from facenet.evaluation.calibration import Calibration, calibrate
from facenet.evaluation.histogram import Histogram, histogram_of
from facenet.evaluation.operating_points import FARS, OperatingPoint, operating_points
from facenet.identification.galleries import Galleries
from facenet.matching import Matcher, Threshold
from tasks.evaluate.files import EvaluatePaths
from tasks.evaluate.result import Evaluation
from tasks.evaluate.tables import write_table
from tasks.params.evaluate import EvaluateParams

logger = logging.getLogger(__name__)

POINT_COLUMNS = (
    *("far_target", "threshold", "probability", "far", "far_low", "far_high", "false_accepts", "negatives"),
    *("val", "val_low", "val_high", "true_accepts", "positives", "supported", "in_words"),
    *("people", "people_pairs", "positive_people"),
)
RELIABILITY_COLUMNS = ("low", "high", "pairs", "predicted", "observed", "observed_low", "observed_high")


def report_operating_points(
    evaluation: Evaluation,
    params: EvaluateParams,
    files: EvaluatePaths,
    galleries: Callable[[], Galleries | None],
    protocol: str,
    *,
    weights_sha256: str,
    precision: str,
) -> dict[str, Any]:
    """Write operating_points.csv, calibration.csv and calibration.json, and return the metrics.

    galleries: returns the measurement in galleries, which belongs into calibration.json.
    """
    fars = sorted({*FARS, params.far}, reverse=True)
    left, right = evaluation.codes
    points = operating_points(
        evaluation.measured, left, right, fars=fars, draws=evaluation.draws, seed=evaluation.seed
    )
    calibration = calibrate(evaluation.measured)
    write_table(files.reports / "operating_points.csv", POINT_COLUMNS, [_row(p, calibration) for p in points])
    write_table(
        files.reports / "calibration.csv",
        RELIABILITY_COLUMNS,
        [(b.low, b.high, b.pairs, b.predicted, b.observed, *b.interval) for b in calibration.reliability],
    )
    size, mean = points[0].size, evaluation.mean_value  # the size is the same at every rate
    matcher = Matcher(
        weights_sha256=weights_sha256,
        protocol=protocol,
        metric=params.distance,
        flip=params.flip,
        mean=None if mean is None else tuple(mean.tolist()),
        mean_source=evaluation.mean.source,
        slope=calibration.sigmoid.slope,
        intercept=calibration.sigmoid.intercept,
        threshold=float(np.mean([score.threshold for score in evaluation.result.folds])),
        people=size.people,
        people_pairs=size.people_pairs,
        precision=precision,
        histogram=_histogram(evaluation),
    )
    if (measured := galleries()) is not None:
        matcher = replace(matcher, identification=measured.calibration)
    _shipped(matcher, points).write(files.calibration)
    return {
        "accuracy_people_interval": list(_people_interval(evaluation)),
        "val_at_far": {f"{point.far_target:g}": _metrics(point) for point in points},
        "calibration_log_loss": calibration.log_loss,
        "calibration_brier": calibration.brier,
        "calibration_error": calibration.expected_error,
    }


def _shipped(matcher: Matcher, points: Sequence[OperatingPoint]) -> Matcher:
    """Return the matcher with thresholds for false accept rates, or without if there are too few people."""
    if shortage := matcher.shortage():
        logger.warning(
            "The calibration supports no false accept rate: %s. FaceModel.verify answers at the default "
            "threshold only, and says so. Evaluate on more people before you use it.",
            shortage,
        )
        return matcher
    return replace(
        matcher, thresholds=tuple(Threshold(p.far_target, p.threshold, p.supported) for p in points)
    )


def _histogram(evaluation: Evaluation) -> Histogram:
    """Return the histogram of the distance that each pair has when its fold is scored."""
    distances, scored = evaluation.measured.held_out(), evaluation.measured.pairs.fold >= 0
    return histogram_of(distances[scored], evaluation.measured.pairs.same[scored])


def _people_interval(evaluation: Evaluation) -> tuple[float, float]:
    scored, (left, right) = evaluation.scored, evaluation.codes
    hits, same = evaluation.correct[scored], evaluation.measured.pairs.same[scored]
    accuracies = bootstrap(
        lambda weights: weighted_accuracy(weights, hits, same),
        left[scored],
        right[scored],
        draws=evaluation.draws,
        seed=evaluation.seed,
    )
    return percentile_interval(accuracies)


def _metrics(point: OperatingPoint) -> dict[str, Any]:
    return {
        "val": point.val,
        "val_interval": list(point.val_interval),
        "far": point.far,
        "far_interval": list(point.far_interval),
        "negatives": point.negatives,
        "people": point.size.people,
        "people_pairs": point.size.people_pairs,
        "supported": point.supported,
    }


def _row(point: OperatingPoint, calibration: Calibration) -> tuple[str | int | float, ...]:
    return (
        point.far_target,
        point.threshold,
        float(calibration.sigmoid.probability(np.array([point.threshold]))[0]),
        point.far,
        *point.far_interval,
        point.false_accepts,
        point.negatives,
        point.val,
        *point.val_interval,
        point.true_accepts,
        point.positives,
        point.supported,
        _in_words(point),
        point.size.people,
        point.size.people_pairs,
        point.positive_people,
    )


def _in_words(point: OperatingPoint) -> str:
    low, high = (100 * bound for bound in point.val_interval)
    shortage = point.size.shortage(point.far_target)
    if shortage is None:
        return (
            f"Expected false accepts: 1 in {1 / point.far_target:,.0f} comparisons of different people, "
            f"measured on {point.size.people_pairs:,} pairs of {point.size.people:,} people. Of 100 "
            f"comparisons of one person {100 * point.val:.1f} are accepted ({low:.1f} to {high:.1f})."
        )
    false_low, false_high = (100 * bound for bound in point.far_interval)
    return (
        f"Not enough people to expect 1 false accept in {1 / point.far_target:,.0f}: {shortage}. For other "
        f"people the rate may be {false_low:.1f} % to {false_high:.1f} %; of 100 comparisons of one person "
        f"{low:.1f} to {high:.1f} are accepted."
    )
