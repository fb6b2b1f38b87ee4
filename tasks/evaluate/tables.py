"""CSV tables of results, of the ROC and of the folds."""

import csv
import io
import math
from collections.abc import Iterable, Sequence
from pathlib import Path

from facenet.atomic import write_text
from facenet.evaluation.protocol import FoldScore
from facenet.evaluation.roc import Curve

Cell = str | int | float | None
ROC_POINTS = 500
FOLD_COLUMNS = ("fold", "pairs", "threshold", "accuracy", "val_threshold", "val", "far")


def write_roc(path: Path, curve: Curve) -> None:
    """Write far and tpr of at most 500 corners of a curve."""
    thin = curve.thinned(ROC_POINTS)
    write_table(path, ("far", "tpr"), zip(thin.far.tolist(), thin.tpr.tolist(), strict=True))


def write_folds(path: Path, folds: Iterable[FoldScore]) -> None:
    """Write one row per scored fold; a cell is empty where a fold has no pairs of that class."""
    write_table(path, FOLD_COLUMNS, ([getattr(score, name) for name in FOLD_COLUMNS] for score in folds))


def write_table(path: Path, names: Sequence[str], rows: Iterable[Sequence[Cell]]) -> None:
    """Write rows under `names` as CSV; None and NaN become empty cells, numbers have six digits."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerows([names, *([_cell(value) for value in row] for row in rows)])
    write_text(path, text.getvalue())


def _cell(value: Cell) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int | str):
        return str(value)
    return "" if value is None or math.isnan(value) else f"{value:.6g}"
