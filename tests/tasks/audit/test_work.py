"""What the audit of a workspace finds, and what it writes."""

import json
from typing import Any

import pandas as pd
import pytest

from facenet.errors import DataInvalid
from tasks.audit.stored import AuditPaths
from tasks.audit.suspects import COLUMNS
from tasks.audit.work import run_audit


def rows(space: Any, kind: str) -> dict[str, Any]:
    return {suspect.digest: suspect for suspect in space.done.suspects if suspect.kind == kind}


def test_the_planted_errors_are_found(space: Any) -> None:
    outlier = rows(space, "outlier")[space.planted["moved"]]
    assert (outlier.identity, outlier.other_identity, outlier.action) == ("s5", "s1", "drop")
    assert outlier.probability > 0.9
    assert rows(space, "unusable").keys() == {space.planted["dark"], space.planted["faceless"]}
    copy = rows(space, "outlier")[space.planted["copy"]]  # is a duplicate, too, but has one row
    assert (copy.identity, copy.action, copy.target) == ("s6", "move", "s8")
    assert copy.other_digest == space.planted["copied"]
    assert rows(space, "outlier").keys() == {space.planted["moved"], space.planted["copy"]}
    conflicts = [(s.identity, s.other_identity) for s in space.done.suspects if s.kind == "duplicate"]
    assert sorted(conflicts) == [("s7", "s9"), ("s9", "s7")]


def test_the_table_is_sorted_and_has_the_columns(space: Any) -> None:
    table = pd.read_parquet(space.files.reports / "label_audit.parquet")
    assert tuple(table.columns) == COLUMNS
    assert len(table) == len(space.done.suspects)
    assert (table["probability"] * table["gain"]).is_monotonic_decreasing
    photos = table[table["digest"] != ""]
    assert not photos.duplicated(["digest", "identity"]).any()


def test_the_report_counts_what_the_table_has(space: Any) -> None:
    report = json.loads((space.files.reports / "label_audit.json").read_text())
    table = pd.read_parquet(space.files.reports / "label_audit.parquet")
    assert {k: v for k, v in report["suspects"].items() if v} == table["kind"].value_counts().to_dict()
    assert report["faces"] == 85
    assert report["findings"]["duplicate"] == 1
    assert not report["realigned"]
    assert "warning" not in report


def test_a_workspace_without_faces_is_an_error(space: Any, tmp_path: Any) -> None:
    files = AuditPaths(raw=tmp_path, aligned=tmp_path, cache=tmp_path, reports=tmp_path)
    with pytest.raises(DataInvalid, match=r"no faces to audit.*Run `dvc repro align`"):
        run_audit(space.params, files, progress=lambda *_: pytest.fail("too late"))
