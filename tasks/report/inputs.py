"""The stages' reports, as read from reports/."""

import csv
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tasks.reports import read_report

Metrics = dict[str, Any]
Row = dict[str, str]  # of a CSV file, by column name; an empty cell is ""
STAGES = ("ingest", "align", "triplets", "train", "evaluation")
TABLES = (
    *("roc", "folds", "operating_points", "calibration", "decisions", "slices", "worst_identities"),
    *("identification", "galleries", "all_pairs", "missing_pairs", "leaks", "history"),
)


@dataclass(frozen=True)
class Findings:
    """Metrics by stage, and tables by file name; a missing file is empty."""

    metrics: dict[str, Metrics]
    tables: dict[str, list[Row]]

    @property
    def evaluation(self) -> Metrics:
        """The metrics of reports/evaluation.json."""
        return self.metrics["evaluation"]


def read_findings(reports: Path) -> Findings:
    """Return all metrics and tables of a folder of reports."""
    return Findings(
        {name: _metrics(reports / f"{name}.json") for name in STAGES},
        {name: _rows(reports / f"{name}.csv") for name in TABLES},
    )


def number(cell: str) -> float:
    """Return the number in a table cell, NaN for an empty one."""
    return float(cell) if cell else float("nan")


def _metrics(path: Path) -> Metrics:
    return read_report(path) if path.exists() else {}


def _rows(path: Path) -> list[Row]:
    if not path.exists():
        return []
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))
