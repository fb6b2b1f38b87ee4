"""The metrics of the last run, read from the reports, as one table for a terminal."""

from pathlib import Path
from typing import Any

from facenet.errors import DataInvalid
from tasks.paths import REPORTS, report
from tasks.reports import read_report

NEXT = (
    ("see runs, curves and the registered model", "make ui"),
    ("make this version the champion", ".venv/bin/python -m flows.promotion"),
    ("choose another recipe", "make recipes"),
)


def results_table(reports: Path = REPORTS) -> str:
    """Return the table of the last run, followed by three commands to run next.

    Raises:
        DataInvalid: a report is missing.
    """
    metrics = {stage: _read(reports, stage) for stage in ("ingest", "align", "train", "evaluate", "register")}
    evaluation, registration = metrics["evaluate"], metrics["register"]
    rows = [
        ("protocol", evaluation["protocol"]),
        ("pairs", f"{evaluation['pairs_used']} of {evaluation['pairs_total']}"),
        ("accuracy", f"{evaluation['accuracy']:.4f} ± {evaluation['accuracy_std']:.4f}"),
        (f"VAL@FAR {evaluation['far_target']:g}", f"{evaluation['val']:.4f} ± {evaluation['val_std']:.4f}"),
        ("AUC", f"{evaluation['auc']:.4f}"),
        ("EER", f"{evaluation['eer']:.4f}"),
        *((f"{stage} images/s", _rate(metrics[stage])) for stage in ("ingest", "align", "train", "evaluate")),
        ("model", f"{registration['model']} version {registration['version']}"),
        ("alias", ", ".join(registration["aliases"])),
    ]
    return "\n".join([_format(rows), "", "Next:", _format([(command, why) for why, command in NEXT])])


def _read(reports: Path, stage: str) -> dict[str, Any]:
    path = reports / report(stage).name
    if not path.exists():
        raise DataInvalid(
            f"There is no {path}: the stage {stage} has not run yet. Run `make run` or `dvc repro`."
        )
    return read_report(path)


def _rate(metrics: dict[str, Any]) -> str:
    return f"{metrics['images_per_second']:.1f}" if metrics.get("images_per_second") else "-"


def _format(rows: list[tuple[str, str]]) -> str:
    width = max(len(name) for name, _ in rows)
    return "\n".join(f"  {name:<{width}}  {value}" for name, value in rows)
