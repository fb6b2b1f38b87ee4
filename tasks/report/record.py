"""The page of this workspace, in reports/ and on the model's MLflow run, and the version's model card."""

import logging
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from facenet.registry import REPORTS, report_folder
from tasks import paths
from tasks.params import Params
from tasks.report.inputs import number, read_findings
from tasks.report.page import Subject, write_page
from tasks.report.version_card import version_card
from tasks.reports import numbers, read_report
from tasks.tracking import Run, open_run
from tasks.tracking.forgotten_mark import TAG
from tasks.tracking.registry import describe_version, get_version

if TYPE_CHECKING:
    from facenet.model import ModelCard

STAGES = ("ingest", "align", "triplets", "train")

logger = logging.getLogger(__name__)


def publish(params: Params, registration: Mapping[str, Any] | None) -> None:
    """Write reports/report.html, and log it and the metrics of all stages to the model's run, if it exists.

    A registered version gets its model card as description, and a page of its own that the report of another
    version of the same run does not replace.
    registration: the receipt of the registered version; None for a model that missed a gate.

    Raises:
        WeightsInvalid: there is no model card.
        TrackingFailed: the server cannot be reached or rejects the request.
    """
    from facenet.model import ModelCard

    card = ModelCard.read(paths.MODEL_CARD)
    write_page(paths.REPORT_PAGE, Subject(params=params, card=card, registration=registration))
    run_id = registration["run_id"] if registration else card.run_id
    run = open_run(run_id) if run_id else None
    if run is None:
        logger.warning(
            "The tracking server has no run of this model; the report is only in %s", paths.REPORT_PAGE
        )
    else:
        run.log_file(paths.REPORT_PAGE, REPORTS)
        if registration is not None:  # a run has several versions if only the evaluation changed
            run.log_file(paths.REPORT_PAGE, report_folder(registration["version"]))
        _log_stages(run)
    if registration is not None:
        _describe(params, card, registration)


def _log_stages(run: Run) -> None:
    """Log the metrics of the stages before evaluate, which cannot know the run, unless it has them."""
    present = run.metrics()
    metrics = {
        name: value
        for stage in STAGES
        if paths.report(stage).exists()
        for name, value in numbers(read_report(paths.report(stage)), stage).items()
    }
    new = {name: value for name, value in metrics.items() if present.get(name) != value}
    if new:
        run.log_metrics(new)
    if "epoch/loss" not in present:
        _log_epochs(run)


def _log_epochs(run: Run) -> None:
    """Log the epochs in reports/history.csv to a run that was rebuilt from files, as train does."""
    for row in read_findings(paths.REPORTS).tables["history"]:
        values = {_metric(name): number(cell) for name, cell in row.items() if cell and name != "epoch"}
        run.log_metrics(values, int(number(row["epoch"])))


def _metric(column: str) -> str:
    """Return the metric for a column: train_x and x of an epoch, validation_x, evaluation_x."""
    kind, _, name = column.partition("_")
    folders = {"train": "epoch", "validation": "validation", "evaluation": "evaluation_pairs"}
    return f"{folders[kind]}/{name}" if kind in folders else f"epoch/{column}"


def _describe(params: Params, card: "ModelCard", registration: Mapping[str, Any]) -> None:
    version = get_version(registration["model"], registration["version"])
    if version is not None:
        findings = read_findings(paths.REPORTS)
        gone = version.tags.get(TAG, "")
        text = version_card(card, findings, params.ingest.sources, registration, forgotten=gone)
        describe_version(version, text)
