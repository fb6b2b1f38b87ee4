"""The result as tables: the ROC and the folds."""

import csv
import io
import math
from collections.abc import Iterable, Sequence
from pathlib import Path

from facenet.atomic import write_text
from facenet.evaluation.protocol import FoldScore
from facenet.evaluation.roc import Curve

ROC_POINTS = 500
FOLD_COLUMNS = ("fold", "pairs", "threshold", "accuracy", "val_threshold", "val", "far")


def write_roc(path: Path, curve: Curve) -> None:
    """Write far and tpr of the corners of a curve, 500 at most."""
    thin = curve.thinned(ROC_POINTS)
    _write(path, ("far", "tpr"), zip(thin.far.tolist(), thin.tpr.tolist(), strict=True))


def write_folds(path: Path, folds: Iterable[FoldScore]) -> None:
    """Write one row per scored fold; a cell is empty where a fold has no pairs of that kind."""
    _write(path, FOLD_COLUMNS, ([getattr(score, name) for name in FOLD_COLUMNS] for score in folds))


def _write(path: Path, names: Sequence[str], rows: Iterable[Sequence[float]]) -> None:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerows([names, *([_cell(value) for value in row] for row in rows)])
    write_text(path, text.getvalue())


def _cell(value: float) -> str:
    if isinstance(value, int):
        return str(value)
    return "" if math.isnan(value) else f"{value:.6g}"
