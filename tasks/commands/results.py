"""The metrics of the last run, read from the reports, as one table for a terminal."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from facenet.errors import DataInvalid
from tasks.params import load_params
from tasks.params.register import Gate
from tasks.paths import REPORTS, report
from tasks.promotion.gates import failures
from tasks.reports import read_report

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


def results_table(reports: Path = REPORTS, gates: Mapping[str, Gate] | None = None) -> str:
    """Return the table of the last run, followed by three commands to run next.

    A model that is not registered is shown with the reason.

    Args:
        reports: the folder of the reports.
        gates: that decide on registration; None for those in params.yaml, read only if they are needed.

    Raises:
        DataInvalid: the report of a stage before register is missing, or a report is damaged.
    """
    metrics = {stage: _read(reports, stage) for stage in STAGES}
    evaluation = metrics["evaluate"]
    receipt = reports / report("register").name
    registered = receipt.exists()
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
        *(_version(read_report(receipt)) if registered else [("model", _reason(evaluation, gates))]),
    ]
    commands = [(command, why) for why, command in (NEXT if registered else UNREGISTERED)]
    return "\n".join([_format(rows), "", "Next:", _format(commands)])


def _version(registration: Mapping[str, Any]) -> list[tuple[str, str]]:
    return [
        ("model", f"{registration['model']} version {registration['version']}"),
        ("alias", ", ".join(registration["aliases"])),
    ]


def _reason(evaluation: Mapping[str, Any], gates: Mapping[str, Gate] | None) -> str:
    """Return why the model is not registered: the gates that it fails, or that the stage has not run."""
    failed = failures(evaluation, load_params().register.gates if gates is None else gates)
    return f"not registered: {'; '.join(failed) or 'the stage register has not run'}"


def _read(reports: Path, stage: str) -> dict[str, Any]:
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
