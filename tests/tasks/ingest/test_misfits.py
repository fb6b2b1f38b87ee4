import pytest

from facenet.identity import fold_name
from tasks.ingest.misfits import misfits
from tasks.ingest.records import Record
from tasks.labels.decision import Decision
from tasks.labels.routes import NameKey, Routes

P, Q = "a" * 64, "b" * 64
WHO = {"role": "split"}


def _found(*rows: tuple[str, str, str, str], key: NameKey = str) -> list[str]:
    people = (("Ann Lee", P), ("Bob", Q), ("Cid", Q), (None, "c" * 64))
    records = [Record("folder", f"{name}/1.jpg", photo, identity=name, **WHO) for name, photo in people]
    decisions = [Decision(*row, line=line) for line, row in enumerate(rows, start=2)]
    routes = Routes(decisions, key)
    routed = [routes.of(record.image_id, record.identity) for record in records if record.identity]
    return list(misfits(records, decisions, routed, key))


def test_decisions_that_fit() -> None:
    assert not _found(
        (P, "Ann Lee", "split", "Dan"), (P, "Dan", "keep", ""), (Q, "Bob", "drop", ""),
        (Q, "Cid", "move", "Dan"), ("", "Dan", "merge", "Bob"), ("", "Bob", "keep", "Cid"),
    )  # fmt: skip


@pytest.mark.parametrize(
    ("row", "message"),
    [
        (("c" * 64, "Ann Lee", "drop", ""), f"no photo of a person has the digest {'c' * 64}."),
        (("d" * 64, "Ann Lee", "drop", ""), f"no photo of a person has the digest {'d' * 64}."),
        ((P, "Bob", "drop", ""), "photo aaaaaaaaaaaa is of 'Ann Lee', not of 'Bob'."),
        ((Q, "Ann Lee", "keep", ""), "photo bbbbbbbbbbbb is of 'Bob' and 'Cid', not of 'Ann Lee'."),
        ((P, "ann_lee", "drop", ""), "photo aaaaaaaaaaaa is of 'Ann Lee', not of 'ann_lee'."),
        ((P, "Ann Lee", "move", "Dan"), "there is no identity 'Dan'. Only split makes a new one."),
        ((P, "Ann Lee", "move", "BOB"), "there is no identity 'BOB'; it is spelled 'Bob'."),
        (
            (P, "Ann Lee", "split", "Bob"),
            "split makes a new identity, but there is a person called 'Bob'. Use move.",
        ),
        ((P, "Ann Lee", "split", "B.o.b"), "'B.o.b' differs from 'Bob' only in spelling. Use another name."),
        (("", "Dan", "merge", "Bob"), "there is no identity 'Dan'. Only split makes a new one."),
        (("", "Bob", "keep", "Eve"), "there is no identity 'Eve'. Only split makes a new one."),
        (("", "Bob", "merge", "ann lee"), "there is no identity 'ann lee'; it is spelled 'Ann Lee'."),
    ],
)
def test_misfits_are_named_with_their_line(row: tuple[str, str, str, str], message: str) -> None:
    fits = (Q, "Cid", "keep", "")
    assert _found(fits, row) == [f"  line 3: {message}"]


def test_two_new_names_may_not_differ_in_spelling_only() -> None:
    found = _found((P, "Ann Lee", "split", "Dan"), (Q, "Bob", "split", "DAN"))
    assert found == ["  line 3: 'DAN' differs from 'Dan' only in spelling. Use another name."]


def test_spellings_fit_if_they_are_one_name() -> None:
    assert not _found((P, "ann_lee", "move", "BOB"), ("", "cid", "merge", "b-o-b"), key=fold_name)
