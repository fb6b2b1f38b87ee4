from typing import Any

import pytest

from facenet.errors import DataInvalid
from tasks.ingest.decided import apply_decisions
from tasks.ingest.records import Record
from tasks.labels.decision import Decision
from tests.tasks.ingest.settings import ingest_params

P, Q, R, S = (letter * 64 for letter in "abcd")
NONE = {"keep": 0, "drop": 0, "move": 0, "merge": 0, "split": 0}


def _photo(identity: str | None, digest: str, role: str = "split", **changed: Any) -> Record:
    return Record("folder", f"{identity}/{digest[0]}.jpg", digest, identity=identity, role=role, **changed)


def _decisions(*rows: tuple[str, str, str, str]) -> list[Decision]:
    return [
        Decision(*row, who="Eve" if line == 2 else "", why="a poster." if line == 2 else "", line=line)
        for line, row in enumerate(rows, start=2)
    ]


PARAMS = ingest_params(decisions="labels/decisions.csv")


def test_without_decisions_nothing_changes() -> None:
    records = [_photo("Ann", P)]
    decided = apply_decisions(records, [], PARAMS)
    assert records == [_photo("Ann", P)]
    assert (decided.rows, decided.photos, decided.routes) == (NONE, NONE, {})


def test_each_effect_is_in_the_record_with_its_reason() -> None:
    records = [
        _photo("Ann", P),
        _photo("Ann", Q),
        _photo("Bob", R),
        _photo("Cid", S),
        _photo("Dan", "e" * 64),
    ]
    decided = apply_decisions(
        records,
        _decisions(
            (P, "Ann", "drop", ""), (Q, "Ann", "move", "Bob"), (R, "Bob", "split", "Bob 2"),
            ("", "Bob", "merge", "Cid"), (S, "Cid", "keep", ""), (Q, "Cid", "keep", ""),
        ),
        PARAMS,
    )  # fmt: skip
    assert [(r.identity, r.status, r.reason) for r in records] == [
        ("Ann", "dropped", "Dropped by labels/decisions.csv, line 2 (Eve): a poster."),
        (
            "Cid",
            "kept",
            " ".join(
                (
                    "Moved from Ann to Bob by labels/decisions.csv, line 3.",
                    "Bob is merged into Cid by labels/decisions.csv, line 5.",
                    "Kept by labels/decisions.csv, line 7.",
                )
            ),
        ),
        ("Bob 2", "kept", "Split from Bob as Bob 2 by labels/decisions.csv, line 4."),
        ("Cid", "kept", "Kept by labels/decisions.csv, line 6."),
        ("Dan", "kept", ""),
    ]
    assert decided.rows == {"keep": 2, "drop": 1, "move": 1, "merge": 1, "split": 1}
    assert decided.photos == {"keep": 2, "drop": 1, "move": 1, "merge": 1, "split": 1}


def test_a_decision_is_for_one_of_several_people_with_the_same_photo() -> None:
    records = [_photo("Ann", P), _photo("Bob", P)]
    apply_decisions(records, _decisions((P, "Bob", "drop", "")), PARAMS)
    assert [record.status for record in records] == ["kept", "dropped"]


def test_a_rejected_photo_stays_rejected_for_its_reason() -> None:
    records = [_photo("Ann", P, status="too_small", reason="10 pixels."), _photo("Bob", Q)]
    apply_decisions(records, _decisions((P, "Ann", "move", "Bob"), (P, "Bob", "drop", "")), PARAMS)
    assert (records[0].identity, records[0].status, records[0].reason) == ("Bob", "too_small", "10 pixels.")


@pytest.mark.parametrize(
    ("role", "others", "expected"),
    [
        ("evaluate", ["train"], "train"),
        ("train", ["evaluate"], "evaluate"),
        ("train", ["train", "evaluate"], "train"),
    ],
)
def test_a_moved_photo_gets_the_role_of_its_person(role: str, others: list[str], expected: str) -> None:
    records = [_photo("Ann", P, role), *(_photo("Bob", Q, other) for other in others)]
    apply_decisions(records, _decisions((P, "Ann", "move", "Bob")), PARAMS)
    assert records[0].role == expected


def test_a_split_photo_and_a_merged_person_keep_their_role() -> None:
    records = [_photo("Ann", P, "evaluate"), _photo("Ann", Q, "evaluate"), _photo("Bob", R, "train")]
    apply_decisions(records, _decisions((P, "Ann", "split", "Eve"), ("", "Ann", "merge", "Bob")), PARAMS)
    assert [record.role for record in records] == ["evaluate", "evaluate", "train"]


def test_spellings_are_one_name_where_ingest_merges_them() -> None:
    records = [_photo("Ann Lee", P), _photo("Bob", Q)]
    decisions = _decisions((P, "ann_lee", "move", "BOB"))
    with pytest.raises(DataInvalid, match="is of 'Ann Lee', not of 'ann_lee'"):
        apply_decisions(records, decisions, PARAMS)
    apply_decisions(records, decisions, ingest_params(same_name="merge", decisions="labels/decisions.csv"))
    assert records[0].identity == "BOB"  # to be united with Bob


def test_decisions_that_do_not_fit_change_nothing_and_are_listed() -> None:
    records = [_photo("Ann", P)]
    rows = [(f"{n:064x}", "Ann", "drop", "") for n in range(12)]
    with pytest.raises(DataInvalid) as error:
        apply_decisions(records, _decisions((P, "Ann", "drop", ""), *rows), PARAMS)
    lines = str(error.value).splitlines()
    assert lines[0] == "labels/decisions.csv does not fit the photos:"
    assert lines[1] == f"  line 3: no photo of a person has the digest {0:064x}."
    assert lines[-2] == "  and 2 more"
    assert lines[-1].endswith("set ingest.decisions to another file or to null.")
    assert records == [_photo("Ann", P)]


def test_a_circle_is_an_error_with_the_file() -> None:
    records = [_photo("Ann", P), _photo("Bob", Q)]
    decisions = _decisions((P, "Ann", "move", "Bob"), (P, "Bob", "move", "Ann"))
    with pytest.raises(
        DataInvalid, match=r"labels/decisions\.csv: The decisions in lines 2, 3 lead in a circle"
    ):
        apply_decisions(records, decisions, PARAMS)
