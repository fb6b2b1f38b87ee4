"""The suites: the expectations of each table, each with a description for messages and Data Docs."""

from collections.abc import Callable, Iterable
from typing import Any

import great_expectations.expectations as gxe
import pandas as pd
from great_expectations.expectations.row_conditions import Column, Condition

from tasks.expectations.tables import IMAGES, PAIR, TRIPLET, plan_columns, plan_sides

ROLES = ["train", "evaluate"]
SHA256 = r"^[0-9a-f]{64}$"
COLUMNS = {
    "manifest": "image_id identity source role path width height mode bytes status reason",
    "pairs": "left right same fold left_name right_name",
    "faces": "image_id identity source role box_numbers landmark_numbers probability faces_found fallback",
    "identities": "identity images split",
    "plan": "number",
}


def columns(suite: str, table: pd.DataFrame) -> list[Any]:
    """Return the expectation that all columns exist, which the others depend on."""
    names = [*COLUMNS[suite].split(), *(plan_columns(table) if suite == "plan" else ())]
    rule = "all columns exist"
    return [gxe.ExpectTableColumnsToMatchSet(column_set=names, exact_match=False, description=rule)]


def contents(suite: str, table: pd.DataFrame) -> list[Any]:
    """Return the expectations of a suite for the columns that the table has."""
    return list(_CONTENTS[suite](table))


def _not_null(names: Iterable[str], rule: str = "is not null", where: Condition | None = None) -> list[Any]:
    return [
        gxe.ExpectColumnValuesToNotBeNull(column=name, description=rule, row_condition=where)
        for name in names
    ]


def _unique(name: str, rule: str, where: Condition | None = None) -> Any:
    return gxe.ExpectColumnValuesToBeUnique(column=name, description=rule, row_condition=where)


def _among(name: str, values: list[Any], rule: str, where: Condition | None = None) -> Any:
    return gxe.ExpectColumnValuesToBeInSet(
        column=name, value_set=values, description=rule, row_condition=where
    )


def _between(name: str, least: float, most: float | None, rule: str, where: Condition | None = None) -> Any:
    return gxe.ExpectColumnValuesToBeBetween(
        column=name, min_value=least, max_value=most, description=rule, row_condition=where
    )


def _named(name: str, rule: str, where: Condition | None = None) -> Any:
    return gxe.ExpectColumnValueLengthsToBeBetween(
        column=name, min_value=1, description=rule, row_condition=where
    )


def _rows(rule: str, where: Condition | None = None) -> Any:
    return gxe.ExpectTableRowCountToBeBetween(min_value=1, description=rule, row_condition=where)


def _equal(left: str, right: str, rule: str) -> Any:
    return gxe.ExpectColumnPairValuesToBeEqual(
        column_A=left, column_B=right, ignore_row_if="either_value_is_missing", description=rule
    )


def _greater(high: str, low: str, rule: str) -> Any:
    return gxe.ExpectColumnPairValuesAToBeGreaterThanB(
        column_A=high, column_B=low, ignore_row_if="either_value_is_missing", description=rule
    )


def _manifest(_: pd.DataFrame) -> Iterable[Any]:
    kept, rejected = Column("status") == "kept", Column("status") != "kept"
    yield _rows("at least one photo is kept", where=kept)
    yield from _not_null(["path", "status"])
    yield from _not_null(
        ["image_id", "identity", "source", "role", "mode", "width", "height", "bytes"], where=kept
    )
    yield gxe.ExpectColumnValuesToMatchRegex(
        column="image_id", regex=SHA256, description="is a sha256", row_condition=kept
    )
    yield _unique("image_id", "identical files are kept once", where=kept)
    yield _named("identity", "is not empty", where=kept)
    yield _equal("identity", "identity_nfc", "names are in Unicode form NFC")
    yield _among("role", ROLES, "is a known role", where=kept)
    for name in ("width", "height", "bytes"):
        yield _between(name, 1, None, "is positive", where=kept)
    yield from _not_null(["reason"], "a rejected file has a reason", where=rejected)
    yield _named("reason", "a rejected file has a reason", where=rejected)


def _pairs(_: pd.DataFrame) -> Iterable[Any]:
    yield from _not_null(["same", "fold", "left_name", "right_name"])
    yield _between("fold", -1, None, "is a scored fold, or -1")
    yield gxe.ExpectColumnMaxToBeBetween(
        column="fold", min_value=0, description="at least one fold is scored"
    )
    yield _among("two_photos", [True], "a photo is not compared with itself")
    yield _equal("same", "same_identity", "the label matches the identities of the photos")
    for side in ("left", "right"):
        yield _among(f"{side}_kept", [True], "the photo is in the manifest and kept")
        yield _among(
            f"{side}_trains", [False], "a photo in a scored pair is not trained on", where=Column("fold") >= 0
        )


def _faces(table: pd.DataFrame) -> Iterable[Any]:
    fallback, found = Column("fallback") == True, Column("fallback") == False  # noqa: E712 - builds a condition
    yield _rows("there is at least one face")
    yield from _not_null(["image_id", "identity", "source", "role", "probability", "faces_found", "fallback"])
    yield _unique("image_id", "a photo has one face")
    yield _among("role", ROLES, "is a known role")
    yield _among("box_numbers", [4], "a box is four finite numbers")
    yield _greater("x1", "x0", "a box has a width")
    yield _greater("y1", "y0", "a box has a height")
    yield _between("probability", 0, 1, "is a probability")
    yield _between("faces_found", 0, None, "is a count")
    yield _equal("fallback", "improbable", "fallback if and only if the probability is 0")
    yield _equal("fallback", "nothing_found", "fallback if and only if no face was found")
    yield _among("role", ["evaluate"], "a photo without a face is not trained on", where=fallback)
    yield _among("landmark_numbers", [0], "a fallback has no landmarks", where=fallback)
    rule = "a face has five finite landmarks"
    yield _among("landmark_numbers", [0 if _whole(table) else 10], rule, where=found)


def _whole(faces: pd.DataFrame) -> bool:
    """Return whether the photos were used without detection, so that no face has landmarks."""
    if not {"landmark_numbers", "fallback"} <= set(faces):
        return False
    numbers = faces.loc[faces["fallback"].eq(False), "landmark_numbers"]
    return len(numbers) > 0 and not numbers.any()


def _identities(_: pd.DataFrame) -> Iterable[Any]:
    yield from _not_null(["identity", "images", "split"])
    yield _unique("identity", "a person is in one split")
    yield _among("split", ["train", "validation"], "is a known split")
    yield _between("images", 1, None, "is positive")
    yield _among("is_evaluated", [False], "LEAK: no evaluation person is trained on")


def _plan(table: pd.DataFrame) -> Iterable[Any]:
    yield from _not_null(plan_columns(table))
    for side in plan_sides(table):
        yield _between(side, 0, None, "is a row number")
        if f"{side}_in_faces" in table:
            yield _among(f"{side}_in_faces", [True], "is a row of the faces")
            yield _among(f"{side}_known", [True], "is a face of a person in identities")
            yield _equal(f"{side}_split", "split", "is a face of the plan's split")
    yield from _PLANS[plan_columns(table)](table)


def _images(table: pd.DataFrame) -> Iterable[Any]:
    yield _unique("row", "a face is in the plan once")
    yield _between("label", 0, None, "is a label")
    if "people_of_label" in table:
        yield _among("people_of_label", [1], "a label stands for one person")
        yield _among("labels_of_person", [1], "a person has one label")


def _triplets(table: pd.DataFrame) -> Iterable[Any]:
    if "another_person" in table:
        yield _equal("anchor_identity", "positive_identity", "anchor and positive show one person")
        yield _among("another_photo", [True], "anchor and positive are two photos")
        yield _among("another_person", [True], "the negative shows another person")


def _labelled_pairs(table: pd.DataFrame) -> Iterable[Any]:
    if len(table):
        yield gxe.ExpectColumnMeanToBeBetween(
            column="same", min_value=0.5, max_value=0.5, description="half of the pairs are same pairs"
        )
    if "same_identity" in table:
        yield _equal("same", "same_identity", "the label matches the identities of the rows")


Contents = Callable[[pd.DataFrame], Iterable[Any]]
_PLANS: dict[tuple[str, ...], Contents] = {IMAGES: _images, TRIPLET: _triplets, PAIR: _labelled_pairs}
_CONTENTS: dict[str, Contents] = {
    "manifest": _manifest,
    "pairs": _pairs,
    "faces": _faces,
    "identities": _identities,
    "plan": _plan,
}
