"""Sane data passes in silence; a message says what failed, where, and what to do."""

import subprocess
import sys
from collections.abc import Callable

import pandas as pd
import pytest

from facenet.errors import DataInvalid
from tasks.expectations import validate_faces, validate_manifest, validate_triplets
from tests.tasks.expectations.sane import (
    IDS,
    ROWS,
    faces,
    identities,
    images,
    labelled,
    manifest,
    message,
    pairs,
    triplets,
)


def test_sane_data_passes_and_is_left_alone() -> None:
    given = [manifest(), pairs(), faces(), identities(), triplets(), labelled(), images()]
    copies = [table.copy(deep=True) for table in given]
    validate_manifest(given[0])
    validate_manifest(given[0], pairs=given[1])
    validate_faces(given[2])
    validate_faces(given[2].drop(columns="image"))
    for plan in (*given[4:], pd.DataFrame()):
        validate_triplets(given[3], plan, ["Cy", "Dé"])
        validate_triplets(given[3], plan, ["Cy", "Dé"], row_identities=ROWS)
    for table, copy in zip(given, copies, strict=True):
        pd.testing.assert_frame_equal(table, copy)


@pytest.mark.parametrize(
    ("call", "missing"),
    [
        (
            lambda: validate_manifest(manifest().drop(columns=["role", "bytes"])),
            "suite manifest: .*missing bytes, role",
        ),
        (
            lambda: validate_manifest(manifest(), pairs=pairs().drop(columns="left")),
            "suite pairs: .*missing left",
        ),
        (lambda: validate_faces(faces().drop(columns="box")), "suite faces: .*missing box_numbers"),
        (
            lambda: validate_triplets(
                identities().drop(columns="identity"), triplets(), [], row_identities=ROWS
            ),
            "suite identities: .*missing identity",
        ),
        (
            lambda: validate_triplets(
                identities(), triplets().drop(columns="positive"), [], row_identities=ROWS
            ),
            "suite plan: .*missing positive",
        ),
        (
            lambda: validate_triplets(
                identities(), labelled().drop(columns="right"), [], row_identities=ROWS
            ),
            "suite plan: .*missing right",
        ),
    ],
)
def test_missing_columns_are_named_and_nothing_else_is_asked(call: Callable[[], None], missing: str) -> None:
    with pytest.raises(DataInvalid, match=missing) as raised:
        call()
    assert str(raised.value).count("* suite") == 1


def test_all_failures_are_told_and_long_lists_are_cut() -> None:
    text = message(lambda: validate_faces(faces().assign(probability=2.0, role="x")))
    assert "column probability" in text
    assert "column role: is a known role (expect_column_values_to_be_in_set): fails in 12 of 12 rows" in text
    assert "and 7 more" in text
    assert IDS[4] in text
    assert IDS[5] not in text
    assert text.splitlines()[-1].endswith("run `dvc repro`.")


def test_a_question_that_cannot_be_asked_says_why() -> None:
    text = message(lambda: validate_manifest(manifest().assign(width="wide")))
    assert "suite manifest, column width: is positive" in text
    assert "must either be None or of the same type" in text


def test_great_expectations_is_imported_by_a_call_only_and_prints_nothing() -> None:
    code = "import sys, tasks.expectations as e; assert 'great_expectations' not in sys.modules"
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert (done.stdout, done.stderr) == ("", "")


def test_validation_draws_no_progress_bars(capfd: pytest.CaptureFixture[str]) -> None:
    validate_faces(faces())
    assert capfd.readouterr() == ("", "")
