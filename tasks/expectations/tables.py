"""The tables as the suites see them: one scalar per cell, and every relation between tables as a column."""

import unicodedata
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from facenet.identity import fold_name

PLAN_ROWS = ("anchor", "positive", "negative", "left", "right")


@dataclass(frozen=True)
class Table:
    """A table, the suite that judges it, and the columns that name a row of it to a person."""

    suite: str
    rows: pd.DataFrame
    keys: tuple[str, ...]


def of_manifest(manifest: pd.DataFrame, pairs: pd.DataFrame | None) -> list[Table]:
    """Return the manifest, and the pairs with what the manifest says about their photos."""
    checked = manifest.reset_index(drop=True)
    if "identity" in checked:
        checked["identity_nfc"] = checked["identity"].map(_normalised, na_action="ignore")
    tables = [Table("manifest", checked, ("identity", "path"))]
    if pairs is not None and {"image_id", "identity", "role", "status"} <= set(manifest):
        tables.append(
            Table("pairs", _pairs(manifest, pairs.reset_index(drop=True)), ("left_name", "right_name"))
        )
    return tables


def _pairs(manifest: pd.DataFrame, pairs: pd.DataFrame) -> pd.DataFrame:
    if not {"left", "right", "left_name", "right_name"} <= set(pairs):
        return pairs
    kept = manifest[manifest["status"] == "kept"].drop_duplicates("image_id").set_index("image_id")
    identities = manifest.groupby("image_id")["identity"].nunique()
    # Equal bytes under two names: the label of the pair cannot be judged by the name the photo was kept under.
    known = kept["identity"].where(identities.reindex(kept.index) == 1)
    for side in ("left", "right"):
        pairs[f"{side}_kept"] = pairs[side].isin(kept.index).where(pairs[side].notna())
        pairs[f"{side}_role"] = pairs[side].map(kept["role"])
    left, right = pairs["left"].map(known), pairs["right"].map(known)
    pairs["same_identity"] = (left == right).where(left.notna() & right.notna())
    pairs["two_photos"] = pairs["left_name"] != pairs["right_name"]
    return pairs


def of_faces(faces: pd.DataFrame) -> list[Table]:
    """Return the faces with box and landmarks as columns of numbers."""
    checked = faces.drop(columns=["image", "box", "landmarks"], errors="ignore").reset_index(drop=True)
    if "box" in faces:
        checked[["x0", "y0", "x1", "y1"]] = _numbers(faces["box"], 4)
    if "landmarks" in faces:
        checked["landmark_numbers"] = np.isfinite(_numbers(faces["landmarks"], 10)).sum(axis=1)
    if "probability" in faces:
        checked["improbable"] = checked["probability"] == 0
    if "faces_found" in faces:
        checked["nothing_found"] = checked["faces_found"] == 0
    return [Table("faces", checked, ("identity", "image_id"))]


def of_triplets(
    identities: pd.DataFrame,
    plan: pd.DataFrame,
    evaluation_identities: Collection[str],
    row_identities: Sequence[str] | None,
) -> list[Table]:
    """Return the identities, and the plan with the people of its rows."""
    people = identities.reset_index(drop=True)
    if "identity" in people:
        evaluated = {fold_name(name) for name in evaluation_identities}
        people["is_evaluated"] = [fold_name(str(name)) in evaluated for name in people["identity"]]
    tables = [Table("identities", people, ("identity",))]
    if set(plan) & set(PLAN_ROWS):
        tables.append(
            Table("plan", _plan(plan.reset_index(drop=True), row_identities, people), ("row", *_sides(plan)))
        )
    return tables


def _sides(plan: pd.DataFrame) -> list[str]:
    return [column for column in PLAN_ROWS if column in plan]


def _plan(plan: pd.DataFrame, row_identities: Sequence[str] | None, people: pd.DataFrame) -> pd.DataFrame:
    sides = _sides(plan)
    plan["row"] = np.arange(len(plan))
    if row_identities is None:
        return plan
    names = pd.Series(row_identities, dtype="str")
    for side in sides:
        plan[f"{side}_in_table"] = plan[side].between(0, len(names) - 1)
        plan[f"{side}_identity"] = plan[side].map(names)
        plan[f"{side}_trains"] = plan[f"{side}_identity"].isin(people["identity"])
    if "same" in plan:
        plan["same_identity"] = plan["left_identity"] == plan["right_identity"]
    return plan


def _normalised(name: str) -> str:
    return unicodedata.normalize("NFC", name)


def _numbers(cells: "pd.Series[Any]", count: int) -> npt.NDArray[np.float32]:
    """Return nested lists of `count` numbers as (N, count); a null or a list of another length becomes NaN."""
    numbers = np.full((len(cells), count), np.nan, np.float32)
    for row, cell in enumerate(cells):
        if cell is not None and np.ndim(cell) > 0:
            flat = np.concatenate(
                [np.atleast_1d(np.asarray(part, np.float32)) for part in cell] or [numbers[row, :0]]
            )
            if flat.size == count:
                numbers[row] = flat
    return numbers
