"""Logging of the evaluation to the MLflow run that trained the model."""

import logging
from pathlib import Path
from typing import Any

from facenet.model import ModelCard
from tasks.reports import numbers

FILES = (
    *("evaluation.json", "roc.csv", "roc.png", "folds.csv", "worst_errors.png", "correct_pairs.png"),
    *("operating_points.csv", "calibration.csv", "decisions.csv", "slices.csv", "worst_identities.csv"),
    *("identification.csv", "galleries.csv", "all_pairs.csv", "missing_pairs.csv", "leaks.csv", "leaks.png"),
)

logger = logging.getLogger(__name__)


def log_to_run(metrics: dict[str, Any], *, card: Path, reports: Path) -> bool:
    """Log the numbers as metrics evaluation/NAME and the report files; return whether the run has them.

    They are in the run's outbox first: if the server does not answer, the stage register sends them. The run
    of a model trained elsewhere is not on this server: nothing is logged, with a warning.
    """
    from tasks.tracking.recorded import open_outbox

    model = ModelCard.read(card)
    name = model.outbox or model.run_id
    if name is None:
        logger.warning("%s names no MLflow run: the evaluation is only in %s", card, reports)
        return False
    with open_outbox(name, run_id=model.run_id) as sender:
        outbox = sender.outbox
        outbox.log_metrics(numbers(metrics, "evaluation"))
        for file in FILES:
            outbox.log_file(reports / file, "reports")
        if digest := metrics.get("decisions_sha256"):
            # The name is unique, so the next evaluation does not overwrite it.
            outbox.log_text((reports / "decisions.csv").read_text("utf-8"), f"decisions/{digest}.csv")
    if sender.missing:
        found = f"run {model.run_id}" if model.run_id else f"run with the tag outbox {name}"
        logger.warning("The tracking server has no %s: the evaluation is only in %s", found, reports)
    return sender.arrived
