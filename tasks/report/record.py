"""The page and the cards of this workspace, in reports/ and on the model's MLflow run and version."""

import logging
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from facenet.atomic import write_text
from facenet.registry import REPORTS, report_folder
from tasks import paths
from tasks.params import Params
from tasks.report.croissant import croissant
from tasks.report.dataset import describe_dataset
from tasks.report.dataset_card import dataset_card
from tasks.report.inputs import number, read_findings
from tasks.report.page import Subject, write_page
from tasks.report.version_card import artifact, version_card
from tasks.reports import numbers, read_report
from tasks.tracking import Run, open_run
from tasks.tracking.forgotten_mark import TAG
from tasks.tracking.registry import Version, describe_version, get_version, tag_version

if TYPE_CHECKING:
    from facenet.model import ModelCard

STAGES = ("ingest", "align", "triplets", "train")

logger = logging.getLogger(__name__)


def publish(params: Params, registration: Mapping[str, Any] | None) -> None:
    """Write the page and the cards, and log them to the model's run, if it exists.

    The run also gets the metrics of all stages. A registered version gets its model card as description, page
    and cards of its own that those of another version of the same run do not replace, and tags with the
    addresses of the cards.
    registration: the receipt of the registered version; None for a model that missed a gate.

    Raises:
        WeightsInvalid: there is no model card.
        TrackingFailed: the server cannot be reached or rejects the request.
    """
    from facenet.model import ModelCard

    card = ModelCard.read(paths.MODEL_CARD)
    write_page(paths.REPORT_PAGE, Subject(params=params, card=card, registration=registration))
    version = get_version(registration["model"], registration["version"]) if registration else None
    gone = version.tags.get(TAG, "") if version else ""
    cards = _write_cards(params, card, registration, gone)
    run_id = registration["run_id"] if registration else card.run_id
    run = open_run(run_id) if run_id else None
    if run is None:
        logger.warning(
            "The tracking server has no run of this model; the report is only in %s", paths.REPORT_PAGE
        )
    else:
        folders = [REPORTS]
        if registration is not None:  # a run has several versions if only the evaluation changed
            folders.append(report_folder(registration["version"]))
        for folder in folders:
            for path in (paths.REPORT_PAGE, *cards):
                run.log_file(path, folder)
        _log_stages(run)
    if version is not None:
        _describe(version, cards if run is not None else [])


def _write_cards(
    params: Params, card: "ModelCard", registration: Mapping[str, Any] | None, forgotten: str
) -> list[Path]:
    """Write the dataset card in both forms, and the model card of a registered version; return the files."""
    findings = read_findings(paths.REPORTS)
    dataset = describe_dataset(findings, params.register.model, params.ingest.sources)
    texts = {paths.DATASET_CARD: dataset_card(dataset), paths.CROISSANT: croissant(dataset)}
    if registration is not None:
        texts[paths.VERSION_CARD] = version_card(
            card, findings, params.ingest.sources, registration, forgotten=forgotten
        )
    for path, text in texts.items():
        write_text(path, text)
    return list(texts)


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


def _describe(version: Version, cards: Sequence[Path]) -> None:
    """Describe the version by its model card, and tag it with the addresses of the cards on its run."""
    describe_version(version, paths.VERSION_CARD.read_text(encoding="utf-8"))
    addresses = {card.name: artifact(version.run_id, version.number, card.name) for card in cards}
    tag_version(version.model, version.number, addresses)
