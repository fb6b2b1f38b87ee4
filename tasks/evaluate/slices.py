"""Error analysis: accuracy by the worse photo of a pair and by attribute, and the people with most errors."""

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from facenet.evaluation.thresholds import Flags
from facenet.evaluation.uncertainty import wilson_interval
from tasks.evaluate.attributes import attribute_parts
from tasks.evaluate.result import Evaluation
from tasks.evaluate.tables import Cell, write_table

SLICE_COLUMNS = (
    *("slice", "part", "low", "high", "pairs", "same", "accuracy", "accuracy_low", "accuracy_high"),
    *("false_accepts", "false_rejects"),
)
PEOPLE_COLUMNS = ("identity", "pairs", "errors", "false_accepts", "false_rejects", "accuracy")
PARTS = ("lowest third", "middle third", "highest third")
WORSE = {"side": np.minimum, "sharpness": np.minimum, "brightness": np.minimum, "turn": np.maximum}
GREY = 2.0  # colour below which a photo is grey
PEOPLE = 50  # rows in worst_identities.csv
FEWEST = 30  # minimum number of pairs of the worst slice

Values = npt.NDArray[np.float64]


def report_slices(
    evaluation: Evaluation, qualities: pd.DataFrame, attributes: pd.DataFrame, *, reports: Path
) -> dict[str, Any]:
    """Write slices.csv and worst_identities.csv, and return the worst slice.

    qualities: see `photo_qualities`, with a row per photo. attributes: see `read_attributes`.
    """
    sides = _of_pairs(evaluation, qualities)
    scored = evaluation.scored
    correct, same = evaluation.correct[scored], evaluation.measured.pairs.same[scored]
    rows: list[tuple[Cell, ...]] = []
    for name, worse in WORSE.items():
        values = worse(*(side[name].to_numpy(np.float64) for side in sides))
        rows += [_row(name, *part, correct, same) for part in thirds(values)]
    grey = sum((side["colour"].to_numpy(np.float64) < GREY).astype(int) for side in sides)
    for count, part in enumerate(("both in colour", "one grey", "both grey")):
        rows.append(_row("colour", part, np.nan, np.nan, np.asarray(grey == count), correct, same))
    for name, part, inside in attribute_parts(*_of_pairs(evaluation, attributes)):
        rows.append(_row(name, part, np.nan, np.nan, inside, correct, same))
    rows = [row for row in rows if row[4]]
    write_table(reports / "slices.csv", SLICE_COLUMNS, rows)
    _write_people(evaluation, reports / "worst_identities.csv")
    large = [row for row in rows if int(row[4] or 0) >= FEWEST]
    worst = min(large, key=lambda row: float(row[6] or 0), default=None)
    return (
        {} if worst is None else {"worst_slice": f"{worst[0]}, {worst[1]}", "worst_slice_accuracy": worst[6]}
    )


def _of_pairs(evaluation: Evaluation, table: pd.DataFrame) -> list[pd.DataFrame]:
    """Return the rows of the left and of the right photos of all scored pairs; NaN for photos without one."""
    usable, scored = evaluation.pairs.usable, evaluation.scored
    return [table.reindex(usable[side]).reset_index(drop=True)[scored] for side in ("left", "right")]


def thirds(values: Values) -> list[tuple[str, float, float, Flags]]:
    """Return name, minimum, maximum and (P,) members of each third; the last part has no values.

    Equal values stay together, so a third can be smaller or missing.
    """
    finite = np.isfinite(values)
    if not finite.any():
        return [("unknown", np.nan, np.nan, ~finite)]
    edges = [-np.inf, *np.quantile(values[finite], [1 / 3, 2 / 3]), np.inf]
    parts = []
    for name, low, high in zip(PARTS, edges[:-1], edges[1:], strict=True):
        inside = finite & (values > low) & (values <= high)
        if inside.any():
            parts.append((name, float(values[inside].min()), float(values[inside].max()), inside))
    return [*parts, ("unknown", np.nan, np.nan, ~finite)]


def _row(
    name: str, part: str, low: float, high: float, inside: Flags, correct: Flags, same: Flags
) -> tuple[Cell, ...]:
    pairs, hits = int(inside.sum()), int((correct & inside).sum())
    interval = wilson_interval(hits, pairs) if pairs else (np.nan, np.nan)
    wrong = inside & ~correct
    errors = int((wrong & ~same).sum()), int((wrong & same).sum())
    accuracy = hits / pairs if pairs else np.nan
    return (name, part, low, high, pairs, int((same & inside).sum()), accuracy, *interval, *errors)


def _write_people(evaluation: Evaluation, path: Path) -> None:
    """Write the people with most errors; a pair of two people counts for each of them."""
    scored, names = evaluation.scored, evaluation.pairs.people
    wrong, same = ~evaluation.correct[scored], evaluation.measured.pairs.same[scored]
    table = pd.DataFrame({"same": same, "false_accepts": wrong & ~same, "false_rejects": wrong & same})
    left, right = (table.assign(identity=side[scored]) for side in names)
    both = pd.concat([left, right[~right["same"]]])  # a pair of one person counts once
    counted = both.groupby("identity")[["false_accepts", "false_rejects"]].sum()
    counted.insert(0, "errors", counted.sum(axis=1))
    counted.insert(0, "pairs", both.groupby("identity").size())
    counted = counted[counted["errors"] > 0].assign(accuracy=1 - counted["errors"] / counted["pairs"])
    worst = counted.sort_values(["errors", "pairs"], ascending=[False, True], kind="stable").head(PEOPLE)
    write_table(path, PEOPLE_COLUMNS, worst.reset_index().itertuples(index=False, name=None))
