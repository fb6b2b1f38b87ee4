"""Operating points and calibration: their tables, and the calibration file that serving uses."""

from typing import Any

import numpy as np

from facenet.evaluation.bootstrap import bootstrap, percentile_interval, weighted_accuracy
from facenet.evaluation.calibration import Calibration, calibrate
from facenet.evaluation.operating_points import FARS, OperatingPoint, operating_points
from facenet.matching import Matcher, Threshold
from tasks.evaluate.files import EvaluatePaths
from tasks.evaluate.result import Evaluation
from tasks.evaluate.tables import write_table
from tasks.params.evaluate import EvaluateParams

POINT_COLUMNS = (
    *("far_target", "threshold", "probability", "far", "far_low", "far_high", "false_accepts", "negatives"),
    *("val", "val_low", "val_high", "true_accepts", "positives", "supported", "in_words"),
)
RELIABILITY_COLUMNS = ("low", "high", "pairs", "predicted", "observed", "observed_low", "observed_high")


def report_operating_points(
    evaluation: Evaluation,
    params: EvaluateParams,
    files: EvaluatePaths,
    *,
    protocol: str,
    weights_sha256: str,
) -> dict[str, Any]:
    """Write operating_points.csv, calibration.csv and calibration.json, and return the metrics."""
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
    means = evaluation.measured.means
    Matcher(
        weights_sha256=weights_sha256,
        protocol=protocol,
        metric=params.distance,
        flip=params.flip,
        mean=None if means is None else tuple(means.mean(axis=0).tolist()),
        slope=calibration.sigmoid.slope,
        intercept=calibration.sigmoid.intercept,
        threshold=float(np.mean([score.threshold for score in evaluation.result.folds])),
        thresholds=tuple(Threshold(p.far_target, p.threshold, p.supported) for p in points),
    ).write(files.calibration)
    return {
        "accuracy_people_interval": list(_people_interval(evaluation)),
        "val_at_far": {f"{point.far_target:g}": _metrics(point) for point in points},
        "calibration_log_loss": calibration.log_loss,
        "calibration_brier": calibration.brier,
        "calibration_error": calibration.expected_error,
    }


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
    )


def _in_words(point: OperatingPoint) -> str:
    low, high = point.val_interval
    text = (
        f"Expected false accepts: 1 in {1 / point.far_target:,.0f} comparisons of different people. Of 100 "
        f"comparisons of one person {100 * point.val:.1f} are accepted ({100 * low:.1f} to {100 * high:.1f})."
    )
    if point.supported:
        return text
    return (
        f"{text} Only {point.negatives} comparisons of different people were measured: too few for this rate."
    )
