"""Nested cells become numbers, relations become columns, and what was given stays as it was."""

import numpy as np
import pandas as pd

from tasks.expectations import tables
from tests.tasks.expectations.sane import ROWS, faces, identities, images, labelled, manifest, pairs, triplets


def test_numbers_of_nested_lists() -> None:
    cells = pd.Series([[[1, 2], [3, 4]], [1, 2, 3, 4], np.arange(4), None, [1], [], np.nan], dtype=object)
    expected = [[1, 2, 3, 4], [1, 2, 3, 4], [0, 1, 2, 3], *[[np.nan] * 4] * 4]
    np.testing.assert_array_equal(tables._numbers(cells, 4), expected)


def test_tables_are_made_of_copies() -> None:
    given = [manifest(), pairs(), faces(), identities(), triplets(), labelled(), images()]
    copies = [table.copy(deep=True) for table in given]
    made = [*tables.of_manifest(given[0], given[1]), *tables.of_faces(given[2])]
    for plan in given[4:]:
        made += tables.of_triplets(given[3], plan, ["Cy"], ROWS)
    assert [table.suite for table in made] == ["manifest", "pairs", "faces", *["identities", "plan"] * 3]
    for table, copy in zip(given, copies, strict=True):
        pd.testing.assert_frame_equal(table, copy)


def test_a_plan_is_known_by_its_columns() -> None:
    assert tables.plan_columns(triplets()) == ("anchor", "positive", "negative")
    assert tables.plan_sides(labelled()) == ("left", "right")
    assert tables.plan_sides(images()) == ("row",)
    assert tables.plan_sides(pd.DataFrame({"else": [1]})) == ()


def test_what_is_asked_of_a_row_is_known_or_null() -> None:
    (_, plan) = tables.of_triplets(
        identities(), pd.DataFrame({"row": [0, 99, 6, 12], "label": [0, 1, 2, 3]}), [], ROWS
    )
    assert list(plan.rows["row_in_faces"]) == [True, False, True, True]
    assert list(plan.rows["row_identity"].fillna("?")) == ["Ada", "?", "Cy", "Eve"]
    assert list(plan.rows["row_split"].fillna("?")) == ["train", "?", "?", "validation"]
    assert list(plan.rows["row_known"].fillna("?")) == [True, "?", False, True]
