from pathlib import Path

import pytest

from facenet.errors import SourceInvalid
from tasks.ingest.decision_file import find_decisions, open_decisions
from tasks.labels.decision import Decision
from tasks.labels.decisions import write_decisions
from tests.tasks.ingest.settings import ingest_params

KEEP = Decision("a" * 64, "Ann", "keep", when="2026-12-01T09:30:00Z")


def test_the_file_is_the_one_that_params_name(tmp_path: Path) -> None:
    path = tmp_path / "mine.csv"
    write_decisions(path, [KEEP])
    assert open_decisions(ingest_params(decisions=str(path))) == [KEEP]


def test_it_is_also_found_in_a_mirror(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_decisions(tmp_path / "labels" / "mine.csv", [KEEP])
    monkeypatch.setenv("FACENET_MIRRORS", str(tmp_path))
    assert open_decisions(ingest_params(decisions="labels/mine.csv"), tmp_path) == [KEEP]


def test_null_names_no_file() -> None:
    assert find_decisions(ingest_params(decisions=None)) is None
    assert open_decisions(ingest_params(decisions=None)) == []


def test_the_default_file_may_be_missing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert open_decisions(ingest_params(decisions="labels/decisions.csv")) == []


def test_a_missing_file_is_an_error_with_the_fix(tmp_path: Path) -> None:
    params = ingest_params(decisions=str(tmp_path / "mine.csv"))
    with pytest.raises(
        SourceInvalid, match=r"mine\.csv, which does not exist\. Restore .* line digest,identity,"
    ):
        open_decisions(params)
