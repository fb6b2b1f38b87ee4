"""Logging of the evaluation to the MLflow run that trained the model."""

import logging
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from facenet.model import ModelCard

FILES = (
    *("evaluation.json", "roc.csv", "roc.png", "folds.csv", "worst_errors.png", "correct_pairs.png"),
    *("operating_points.csv", "calibration.csv", "decisions.csv", "slices.csv", "worst_identities.csv"),
    *("identification.csv", "all_pairs.csv", "missing_pairs.csv", "leaks.csv", "leaks.png"),
)

logger = logging.getLogger(__name__)


def log_to_run(metrics: dict[str, Any], *, card: Path, reports: Path) -> bool:
    """Log the numbers as metrics evaluation/NAME and the report files; return whether the run exists.

    The run of a model trained elsewhere is not on this server: nothing is logged, with a warning.

    Raises:
        TrackingFailed: the tracking server cannot be reached or refuses.
    """
    from tasks.tracking import open_run

    run_id = ModelCard.read(card).run_id
    run = open_run(run_id) if run_id else None
    if run is None:
        reason = f"The tracking server has no run {run_id}" if run_id else f"{card} names no MLflow run"
        logger.warning("%s: the evaluation is only in %s", reason, reports)
        return False
    run.log_metrics(_metrics(metrics, "evaluation"))
    for name in FILES:
        run.log_file(reports / name, "reports")
    if digest := metrics.get(
        "decisions_sha256"
    ):  # the name is unique, so the next evaluation does not overwrite it
        run.log_text((reports / "decisions.csv").read_text("utf-8"), f"decisions/{digest}.csv")
    return True


def _metrics(metrics: Mapping[str, Any], prefix: str) -> dict[str, float]:
    """Return the finite numbers of nested metrics by their path."""
    flat: dict[str, float] = {}
    for name, value in metrics.items():
        if isinstance(value, Mapping):
            flat |= _metrics(value, f"{prefix}/{name}")
        elif isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value):
            flat[f"{prefix}/{name}"] = value
    return flat
