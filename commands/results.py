"""`facenet results`: the metrics of the last run, read from the reports."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from commands.exit_codes import OK
from commands.output import show, show_json
from facenet.errors import DataInvalid
from tasks.paths import REPORTS, report

if TYPE_CHECKING:
    from tasks.params.register import Gate

STAGES = ("ingest", "align", "train", "evaluate")  # whose speed is shown
NEXT = (
    ("see runs, curves and the registered model", "make ui"),
    ("make this version the champion", ".venv/bin/python -m flows.promotion"),
    ("choose another recipe", "make recipes"),
)
UNREGISTERED = (
    ("see runs and curves", "make ui"),
    ("register the model, after a change of register.gates in params.yaml", "dvc repro"),
    ("choose another recipe", "make recipes"),
)


def add(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `facenet results`."""
    parser.description = "Print the metrics of the last run of the pipeline in this folder."
    parser.add_argument("--json", action="store_true", help="print the reports of the stages as JSON")


def run(arguments: argparse.Namespace) -> int:
    """Print the metrics of the run in the working folder.

    Raises:
        DataInvalid: the report of a stage before register is missing, or a report is damaged.
    """
    show_json(stage_reports()) if arguments.json else show(f"\n{results_table()}\n")
    return OK


def stage_reports(reports: Path = REPORTS) -> dict[str, Any]:
    """Return the reports of the stages that the table shows, and the receipt, None without a version.

    Raises:
        DataInvalid: the report of a stage before register is missing, or a report is damaged.
    """
    from tasks.reports import read_report

    receipt = reports / report("register").name
    return {
        **{stage: _read(reports, stage) for stage in STAGES},
        "register": read_report(receipt) if receipt.exists() else None,
    }


def results_table(reports: Path = REPORTS, gates: Mapping[str, Gate] | None = None) -> str:
    """Return the table of the last run, followed by three commands to run next.

    A model that is not registered is shown with the reason.

    Args:
        reports: the folder of the reports.
        gates: that decide on registration; None for those in params.yaml, read only if they are needed.

    Raises:
        DataInvalid: the report of a stage before register is missing, or a report is damaged.
    """
    metrics = stage_reports(reports)
    evaluation, receipt = metrics["evaluate"], metrics["register"]
    rows = [
        ("protocol", evaluation["protocol"]),
        ("pairs", f"{evaluation['pairs_used']} of {evaluation['pairs_total']}"),
        ("accuracy", f"{evaluation['accuracy']:.4f} ± {evaluation['accuracy_std']:.4f}"),
        (
            f"VAL@FAR {evaluation['far_target']:g}",
            f"{evaluation['val']:.4f} ± {evaluation['val_std']:.4f}",
        ),
        ("AUC", f"{evaluation['auc']:.4f}"),
        ("EER", f"{evaluation['eer']:.4f}"),
        *((f"{stage} images/s", _rate(metrics[stage])) for stage in STAGES),
        *(_version(receipt) if receipt else [("model", _reason(evaluation, gates))]),
    ]
    commands = [(command, why) for why, command in (NEXT if receipt else UNREGISTERED)]
    return "\n".join([_format(rows), "", "Next:", _format(commands)])


def _version(registration: Mapping[str, Any]) -> list[tuple[str, str]]:
    return [
        ("model", f"{registration['model']} version {registration['version']}"),
        ("alias", ", ".join(registration["aliases"])),
    ]


def _reason(evaluation: Mapping[str, Any], gates: Mapping[str, Gate] | None) -> str:
    """Return why the model is not registered: the gates that it fails, or that the stage has not run."""
    from tasks.params import load_params
    from tasks.promotion.gates import failures

    failed = failures(evaluation, load_params().register.gates if gates is None else gates)
    return f"not registered: {'; '.join(failed) or 'the stage register has not run'}"


def _read(reports: Path, stage: str) -> dict[str, Any]:
    from tasks.reports import read_report

    path = reports / report(stage).name
    if not path.exists():
        raise DataInvalid(
            f"There is no {path}: the stage {stage} has not run yet. Run `make run` or `dvc repro`."
        )
    return read_report(path)


def _rate(metrics: Mapping[str, Any]) -> str:
    return f"{metrics['images_per_second']:.1f}" if metrics.get("images_per_second") else "-"


def _format(rows: list[tuple[str, str]]) -> str:
    width = max(len(name) for name, _ in rows)
    return "\n".join(f"  {name:<{width}}  {value}" for name, value in rows)
