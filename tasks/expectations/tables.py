"""The tables in the form the suites check: one scalar per cell, relations between tables as columns."""

import unicodedata
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from facenet.identity import fold_name


@dataclass(frozen=True)
class Table:
    """A table, the suite that checks it, and the columns that identify a row in a message.

    title: the name of the table if several are checked by one suite.
    """

    suite: str
    rows: pd.DataFrame
    keys: tuple[str, ...]
    title: str | None = None

    @property
    def name(self) -> str:
        """The unique name of the table: its title, or else its suite."""
        return self.title or self.suite


IMAGES = ("row", "label")
TRIPLET = ("anchor", "positive", "negative")
PAIR = ("left", "right", "same")


def plan_columns(plan: pd.DataFrame) -> tuple[str, ...]:
    """Return the columns required of this type of plan; none if the type is unknown."""
    return next((kind for kind in (IMAGES, TRIPLET, PAIR) if set(kind) & set(plan)), ())


def plan_sides(plan: pd.DataFrame) -> tuple[str, ...]:
    """Return the columns of a plan that contain row numbers of the faces."""
    return tuple(name for name in plan_columns(plan) if name not in ("label", "same"))


def of_manifest(
    manifest: pd.DataFrame, pairs: pd.DataFrame | None = None, allow_identity_overlap: bool = False
) -> list[Table]:
    """Return the manifest, and the pairs with columns that compare them with the manifest."""
    rows = manifest.reset_index(drop=True)
    if "identity" in rows:
        rows["identity_nfc"] = rows["identity"].map(_nfc, na_action="ignore")
    tables = [Table("manifest", rows, ("identity", "path"))]
    if pairs is not None and {"image_id", "identity", "role", "status"} <= set(manifest):
        judged = _judged_pairs(manifest, pairs.reset_index(drop=True), allow_identity_overlap)
        tables.append(Table("pairs", judged, ("left_name", "right_name")))
    return tables


def _judged_pairs(manifest: pd.DataFrame, pairs: pd.DataFrame, allow_identity_overlap: bool) -> pd.DataFrame:
    if not {"left", "right", "left_name", "right_name"} <= set(pairs):
        return pairs
    kept = manifest[manifest["status"] == "kept"].drop_duplicates("image_id").set_index("image_id")
    names = manifest.groupby("image_id")["identity"].nunique()
    # A file stored under two names: the pair may mean the name that was not kept.
    certain = kept["identity"].where(names.reindex(kept.index) == 1)
    for side in ("left", "right"):
        present = pairs[side].notna()
        pairs[f"{side}_kept"] = pairs[side].isin(kept.index).where(present)
        pairs[f"{side}_trains"] = (pairs[side].map(kept["role"]) == "train").where(present)
        if allow_identity_overlap:
            pairs[f"{side}_trains"] = False
    left, right = pairs["left"].map(certain), pairs["right"].map(certain)
    pairs["same_identity"] = (left == right).where(left.notna() & right.notna())
    pairs["two_photos"] = pairs["left_name"] != pairs["right_name"]
    return pairs


def of_faces(faces: pd.DataFrame) -> list[Table]:
    """Return the faces with box and landmarks expanded to numeric columns."""
    rows = faces.drop(columns=["image", "box", "landmarks"], errors="ignore").reset_index(drop=True)
    if "box" in faces:
        rows[["x0", "y0", "x1", "y1"]] = box = _numbers(faces["box"], 4)
        rows["box_numbers"] = np.isfinite(box).sum(axis=1)
    if "landmarks" in faces:
        rows["landmark_numbers"] = np.isfinite(_numbers(faces["landmarks"], 10)).sum(axis=1)
    if "probability" in faces:
        rows["improbable"] = rows["probability"] == 0
    if "faces_found" in faces:
        rows["nothing_found"] = rows["faces_found"] == 0
    return [Table("faces", rows, ("identity", "image_id"))]


def of_triplets(
    identities: pd.DataFrame,
    plan: pd.DataFrame,
    evaluation_identities: Collection[str],
    row_identities: Sequence[str] | None = None,
) -> list[Table]:
    """Return the identities, marking those evaluated, and the plan with the people of its rows."""
    people = identities.reset_index(drop=True)
    if "identity" in people:
        evaluated = {fold_name(name) for name in evaluation_identities}
        people["is_evaluated"] = [fold_name(str(name)) in evaluated for name in people["identity"]]
    tables = [Table("identities", people, ("identity",))]
    if plan_columns(plan):
        rows = plan.reset_index(drop=True).assign(number=np.arange(len(plan)))
        if row_identities is not None and "identity" in people and set(plan_columns(plan)) <= set(plan):
            _add_people(rows, pd.Series(row_identities, dtype="str"), people)
        tables.append(Table("plan", rows, ("number", *plan_sides(plan))))
    return tables


def _add_people(plan: pd.DataFrame, names: "pd.Series[str]", people: pd.DataFrame) -> None:
    """Add the people of each row. Unknown values are null; another expectation has failed then."""
    splits = people.drop_duplicates("identity").set_index("identity")["split"]
    for side in plan_sides(plan):
        plan[f"{side}_in_faces"] = plan[side].between(0, len(names) - 1).where(plan[side].notna())
        plan[f"{side}_identity"] = plan[side].map(names)
        plan[f"{side}_split"] = plan[f"{side}_identity"].map(splits)
        plan[f"{side}_known"] = plan[f"{side}_split"].notna().where(plan[f"{side}_identity"].notna())
    split = plan[[f"{side}_split" for side in plan_sides(plan)]].stack().mode()
    plan["split"] = split.iloc[0] if len(split) else None
    if plan_columns(plan) == TRIPLET:
        plan["another_photo"] = plan["anchor"] != plan["positive"]
        plan["another_person"] = plan["anchor_identity"] != plan["negative_identity"]
    elif plan_columns(plan) == PAIR:
        left, right = plan["left_identity"], plan["right_identity"]
        plan["same_identity"] = (left == right).where(left.notna() & right.notna())
    else:
        plan["people_of_label"] = plan.groupby("label")["row_identity"].transform("nunique")
        plan["labels_of_person"] = plan.groupby("row_identity")["label"].transform("nunique")


def _nfc(name: str) -> str:
    return unicodedata.normalize("NFC", name)


def _numbers(cells: "pd.Series[Any]", count: int) -> npt.NDArray[np.float32]:
    """Return nested lists of `count` numbers as (N, count); nulls and other lengths become NaN."""
    numbers = np.full((len(cells), count), np.nan, np.float32)
    for row, cell in enumerate(cells):
        flat = np.hstack([np.ravel(part) for part in cell]) if np.ndim(cell) and len(cell) else np.empty(0)
        if flat.size == count:
            numbers[row] = flat
    return numbers
