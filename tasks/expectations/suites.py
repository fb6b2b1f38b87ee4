"""The suites: what each column of each table must hold. Descriptions finish the sentence "must ..."."""

from collections.abc import Callable, Iterable
from typing import Any

import great_expectations.expectations as gxe
import pandas as pd

KEPT = {"row_condition": 'status == "kept"', "condition_parser": "pandas"}
REJECTED = {"row_condition": 'status != "kept"', "condition_parser": "pandas"}
FALLBACK = {"row_condition": "fallback == True", "condition_parser": "pandas"}
FOUND = {"row_condition": "fallback == False", "condition_parser": "pandas"}
SCORED = {"row_condition": "fold >= 0", "condition_parser": "pandas"}
ROLES = ["train", "evaluate"]
SHA256 = r"^[0-9a-f]{64}$"

COLUMNS = {
    "manifest": "image_id identity source role path width height mode bytes status reason",
    "pairs": "left right same fold left_name right_name",
    "faces": "image_id identity source role x0 y0 x1 y1 landmark_numbers probability faces_found fallback",
    "identities": "identity images split",
    "plan": "row",
}


class ExpectNobodyEvaluatedToTrain(gxe.ExpectColumnValuesToBeInSet):
    """The leak check: names are compared without case, accents and punctuation."""

    column: str = "is_evaluated"
    value_set: Any = [False]  # noqa: RUF012 - a field with a default, as pydantic models have them
    description: str | None = "not train who is evaluated"


def columns(suite: str) -> list[Any]:
    """Return the expectation that the columns are there, without which no other can be asked."""
    names = COLUMNS[suite].split()
    return [
        gxe.ExpectTableColumnsToMatchSet(column_set=names, exact_match=False, description="have its columns")
    ]


def contents(suite: str, table: pd.DataFrame) -> list[Any]:
    """Return what must hold in a table of the given suite; of optional columns, those the table has."""
    return list(_CONTENTS[suite](table))


def _not_null(names: Iterable[str], **condition: str) -> list[Any]:
    return [
        gxe.ExpectColumnValuesToNotBeNull(column=name, description="be there", **condition) for name in names
    ]


def _between(name: str, least: float, most: float | None, description: str, **condition: str) -> Any:
    return gxe.ExpectColumnValuesToBeBetween(
        column=name, min_value=least, max_value=most, description=description, **condition
    )


def _only(name: str, values: list[Any], description: str, **condition: str) -> Any:
    return gxe.ExpectColumnValuesToBeInSet(
        column=name, value_set=values, description=description, **condition
    )


def _equal(left: str, right: str, description: str) -> Any:
    return gxe.ExpectColumnPairValuesToBeEqual(
        column_A=left, column_B=right, ignore_row_if="either_value_is_missing", description=description
    )


def _manifest(_: pd.DataFrame) -> Iterable[Any]:
    yield gxe.ExpectTableRowCountToBeBetween(min_value=1, description="have a photo", **KEPT)
    yield from _not_null(["path", "status"])
    yield from _not_null(
        ["image_id", "identity", "source", "role", "mode", "width", "height", "bytes"], **KEPT
    )
    yield gxe.ExpectColumnValuesToMatchRegex(
        column="image_id", regex=SHA256, description="be a sha256", **KEPT
    )
    yield gxe.ExpectColumnValuesToBeUnique(column="image_id", description="be kept once", **KEPT)
    yield gxe.ExpectColumnValueLengthsToBeBetween(
        column="identity", min_value=1, description="be a name", **KEPT
    )
    yield _equal("identity", "identity_nfc", "be in Unicode form NFC")
    yield _only("role", ROLES, "be a known role", **KEPT)
    for name in ("width", "height", "bytes"):
        yield _between(name, 1, None, "be positive", **KEPT)
    yield from _not_null(["reason"], **REJECTED)
    yield gxe.ExpectColumnValueLengthsToBeBetween(
        column="reason", min_value=1, description="be said of a rejected file", **REJECTED
    )


def _pairs(_: pd.DataFrame) -> Iterable[Any]:
    yield from _not_null(["same", "fold", "left_name", "right_name"])
    yield _between("fold", -1, None, "be -1 (threshold only) or a scored fold")
    yield gxe.ExpectColumnMaxToBeBetween(column="fold", min_value=0, description="have a scored fold")
    yield _only("left_kept", [True], "be a kept photo")
    yield _only("right_kept", [True], "be a kept photo")
    yield _only("two_photos", [True], "be two photos")
    yield _equal("same", "same_identity", "be the label that the identities give")


def _faces(_: pd.DataFrame) -> Iterable[Any]:
    yield gxe.ExpectTableRowCountToBeBetween(min_value=1, description="have a face")
    yield from _not_null(["image_id", "identity", "source", "role", "probability", "faces_found", "fallback"])
    yield gxe.ExpectColumnValuesToBeUnique(column="image_id", description="have one face per photo")
    yield _only("role", ROLES, "be a known role")
    yield from _not_null(["x0", "y0", "x1", "y1"])
    for high, low in (("x1", "x0"), ("y1", "y0")):
        yield gxe.ExpectColumnPairValuesAToBeGreaterThanB(
            column_A=high,
            column_B=low,
            ignore_row_if="either_value_is_missing",
            description="be a box with an area",
        )
    yield _between("probability", 0, 1, "be a probability")
    yield _between("faces_found", 0, None, "be a count")
    yield _equal("fallback", "improbable", "be a fallback if and only if the probability is 0")
    yield _equal("fallback", "nothing_found", "be a fallback if and only if no face was found")
    yield _only("role", ["evaluate"], "not train on a photo without a face", **FALLBACK)
    yield _only("landmark_numbers", [0], "have no landmarks without a face", **FALLBACK)
    yield _only("landmark_numbers", [10], "have five landmarks", **FOUND)


def _identities(_: pd.DataFrame) -> Iterable[Any]:
    yield from _not_null(["identity", "images", "split"])
    yield gxe.ExpectColumnValuesToBeUnique(column="identity", description="be in one split")
    yield _only("split", ["train", "validation"], "be a known split")
    yield _between("images", 1, None, "have photos")
    yield ExpectNobodyEvaluatedToTrain()


def _plan(table: pd.DataFrame) -> Iterable[Any]:
    sides = [name for name in ("anchor", "positive", "negative", "left", "right") if name in table]
    yield from _not_null(sides)
    for side in sides:
        yield _between(side, 0, None, "be a row number")
        if f"{side}_in_table" in table:
            yield _only(f"{side}_in_table", [True], "be a row of the faces")
            yield _only(f"{side}_trains", [True], "be a face of somebody in identities")


_CONTENTS: dict[str, Callable[[pd.DataFrame], Iterable[Any]]] = {
    "manifest": _manifest,
    "pairs": _pairs,
    "faces": _faces,
    "identities": _identities,
    "plan": _plan,
}
