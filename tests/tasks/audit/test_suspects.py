from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from facenet.audit import Findings, MergedPeople, Outlier, SplitPerson
from tasks.audit.stored import StoredFaces
from tasks.audit.suspects import COLUMNS, Suspect, gain_of, group_of, ordered, suspects_of, table_of


def suspect(**fields: Any) -> Suspect:
    plain = {"kind": "outlier", "identity": "Ann", "score": 0.1, "probability": 0.5, "gain": 2.0}
    return Suspect(**{**plain, "action": "drop", "reason": "", **fields})


def stored() -> StoredFaces:
    identities = np.array(["Ann"] * 7 + ["Bob"] * 3 + ["Cid"] * 2, "U20")
    photos = np.array([f"{n:064x}" for n in range(12)])
    paths = {(p, i): f"{i}/{n}.jpg" for n, (p, i) in enumerate(zip(photos, identities, strict=True))}
    return StoredFaces(photos, identities, np.array(["train"] * 12), np.zeros(12, bool), paths, {})


def test_findings_become_rows() -> None:
    faces = stored()
    found = Findings(
        (
            Outlier(0, "Ann", 0.9, 0.1, 0.8, "Bob", "Bob"),
            Outlier(10, "Cid", 0.4, 0.1, 0.2, "Ann", None),
        ),
        (SplitPerson("Bob", "Cid", 0.7, 0.8),),
        (MergedPeople("Ann", np.array([1, 2, 3]), 0.6, 0.0, 0.5),),
    )
    rows = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11]
    moved, dropped, merge, *parts = suspects_of(found, faces, rows, [8, -1])
    assert (moved.action, moved.target, moved.other_digest) == ("move", "Bob", faces.photos[8])
    assert (moved.photo, moved.score) == ("Ann/0.jpg", pytest.approx(0.7))
    assert moved.gain == gain_of(6 + 3)
    assert (dropped.action, dropped.target, dropped.other_digest) == ("drop", "", "")
    assert (merge.digest, merge.identity, merge.target, merge.gain) == ("", "Cid", "Bob", gain_of(6))
    assert [part.digest for part in parts] == faces.photos[1:4].tolist()
    assert {(part.action, part.target, part.gain) for part in parts} == {("split", "Ann (2)", gain_of(4))}
    assert len({part.group for part in parts} | {moved.group, dropped.group, merge.group}) == 4


def test_a_new_name_is_not_taken() -> None:
    faces = stored()
    faces.identities[10:] = "ann_2"
    faces = replace(faces, names=frozenset({"Ann (3)"}))
    found = Findings((), (), (MergedPeople("Ann", np.array([1, 2, 3]), 0.6, 0.0, 0.5),))
    assert suspects_of(found, faces, range(12), [])[0].target == "Ann (4)"


def test_each_photo_has_one_row_and_the_first_is_worth_most() -> None:
    low, high = suspect(digest="a", gain=1.0), suspect(digest="a", gain=3.0, kind="merged")
    other = suspect(digest="a", identity="Bob", gain=2.0)
    pairs = [suspect(kind="split", target=target, gain=0.1) for target in ("Cid", "Dan")]
    assert ordered([low, other, high, *pairs]) == [high, other, *pairs]


def test_the_table_has_its_columns_without_rows() -> None:
    table = table_of([])
    assert tuple(table.columns) == COLUMNS
    assert table["probability"].dtype == "float64"
    assert table["reason"].dtype == table_of([suspect()])["reason"].dtype


def test_the_gain_grows_slowly_and_a_correct_name_counts_less() -> None:
    assert gain_of(0) == 0
    assert gain_of(1023) == 10
    assert gain_of(1023, wrong=False) == 2.5
    assert group_of("a", "b") == group_of("a", "b") != group_of("ab")
