"""Sane data passes in silence; a message says what failed, where, and what to do."""

from collections.abc import Callable

import pytest

from facenet.errors import DataInvalid
from tasks.expectations import validate_faces, validate_manifest, validate_triplets
from tests.tasks.expectations.sane import (
    IDS,
    ROWS,
    faces,
    identities,
    labelled,
    manifest,
    message,
    pairs,
    triplets,
)


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


def test_validation_draws_no_progress_bars(capfd: pytest.CaptureFixture[str]) -> None:
    validate_faces(faces())
    assert capfd.readouterr() == ("", "")
