"""Where the model errs: accuracy by the worse photo of a pair, and the people with most errors."""

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from facenet.evaluation.thresholds import Flags
from facenet.evaluation.uncertainty import wilson_interval
from tasks.evaluate.result import Evaluated
from tasks.evaluate.tables import Cell, write_table

SLICE_COLUMNS = (
    *("slice", "part", "low", "high", "pairs", "same", "accuracy", "accuracy_low", "accuracy_high"),
    *("false_accepts", "false_rejects"),
)
PEOPLE_COLUMNS = ("identity", "pairs", "errors", "false_accepts", "false_rejects", "accuracy")
PARTS = ("lowest third", "middle third", "highest third")
WORSE = {"side": np.minimum, "sharpness": np.minimum, "brightness": np.minimum, "turn": np.maximum}
GREY = 2.0  # of the spread of the channels, below which a photo is grey
PEOPLE = 50  # shown
FEWEST = 30  # pairs of a slice that can be called the worst

Values = npt.NDArray[np.float64]


def report_slices(evaluated: Evaluated, qualities: pd.DataFrame, *, reports: Path) -> dict[str, Any]:
    """Write slices.csv and worst_identities.csv, and return the worst slice."""
    usable, scored = evaluated.pairs.usable, evaluated.scored
    sides = [qualities.reindex(usable[side]).reset_index(drop=True)[scored] for side in ("left", "right")]
    right, same = evaluated.right[scored], evaluated.measured.pairs.same[scored]
    rows: list[tuple[Cell, ...]] = []
    for name, worse in WORSE.items():
        values = worse(*(side[name].to_numpy(np.float64) for side in sides))
        rows += [_row(name, *part, right, same) for part in thirds(values)]
    grey = sum((side["colour"].to_numpy(np.float64) < GREY).astype(int) for side in sides)
    for count, part in enumerate(("both in colour", "one grey", "both grey")):
        rows.append(_row("colour", part, np.nan, np.nan, np.asarray(grey == count), right, same))
    rows = [row for row in rows if row[4]]
    write_table(reports / "slices.csv", SLICE_COLUMNS, rows)
    _write_people(evaluated, reports / "worst_identities.csv")
    large = [row for row in rows if int(row[4] or 0) >= FEWEST]
    worst = min(large, key=lambda row: float(row[6] or 0), default=None)
    return (
        {} if worst is None else {"worst_slice": f"{worst[0]}, {worst[1]}", "worst_slice_accuracy": worst[6]}
    )


def thirds(values: Values) -> list[tuple[str, float, float, Flags]]:
    """Return name, least and largest value and the (P,) members of each third; last those without a value.

    Equal values are never parted, so a third can be smaller, or empty.
    """
    known = np.isfinite(values)
    if not known.any():
        return [("unknown", np.nan, np.nan, ~known)]
    edges = [-np.inf, *np.quantile(values[known], [1 / 3, 2 / 3]), np.inf]
    found = []
    for name, low, high in zip(PARTS, edges[:-1], edges[1:], strict=True):
        inside = known & (values > low) & (values <= high)
        if inside.any():
            found.append((name, float(values[inside].min()), float(values[inside].max()), inside))
    return [*found, ("unknown", np.nan, np.nan, ~known)]


def _row(
    name: str, part: str, low: float, high: float, inside: Flags, right: Flags, same: Flags
) -> tuple[Cell, ...]:
    pairs, hits = int(inside.sum()), int((right & inside).sum())
    interval = wilson_interval(hits, pairs) if pairs else (np.nan, np.nan)
    wrong = inside & ~right
    errors = int((wrong & ~same).sum()), int((wrong & same).sum())
    accuracy = hits / pairs if pairs else np.nan
    return (name, part, low, high, pairs, int((same & inside).sum()), accuracy, *interval, *errors)


def _write_people(evaluated: Evaluated, path: Path) -> None:
    """Write the people with most errors; a pair of two people counts for both."""
    scored, names = evaluated.scored, evaluated.pairs.people
    wrong, same = ~evaluated.right[scored], evaluated.measured.pairs.same[scored]
    table = pd.DataFrame({"same": same, "false_accepts": wrong & ~same, "false_rejects": wrong & same})
    left, right = (table.assign(identity=side[scored]) for side in names)
    both = pd.concat([left, right[~right["same"]]])  # a pair of one person counts once
    counted = both.groupby("identity")[["false_accepts", "false_rejects"]].sum()
    counted.insert(0, "errors", counted.sum(axis=1))
    counted.insert(0, "pairs", both.groupby("identity").size())
    counted = counted[counted["errors"] > 0].assign(accuracy=1 - counted["errors"] / counted["pairs"])
    worst = counted.sort_values(["errors", "pairs"], ascending=[False, True], kind="stable").head(PEOPLE)
    write_table(path, PEOPLE_COLUMNS, worst.reset_index().itertuples(index=False, name=None))
