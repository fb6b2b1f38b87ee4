"""Reading reports."""

import math
from pathlib import Path

from tasks.report.inputs import STAGES, TABLES, number, read_findings
from tasks.report.page import Subject


def test_every_file_that_is_read_is_written_by_a_stage(evaluated: Subject) -> None:
    findings = read_findings(evaluated.reports)
    assert all(findings.metrics[name] for name in STAGES)
    empty = {name for name in TABLES if not findings.tables[name]}
    assert empty <= {"leaks", "missing_pairs"}
    assert all((evaluated.reports / f"{name}.csv").exists() for name in TABLES)


def test_cells_are_read_as_text(tmp_path: Path) -> None:
    (tmp_path / "leaks.csv").write_text('found_by,evaluated\nname,"NA, ""nan"""\n')
    assert read_findings(tmp_path).tables["leaks"] == [{"found_by": "name", "evaluated": 'NA, "nan"'}]


def test_a_missing_file_is_empty(tmp_path: Path) -> None:
    findings = read_findings(tmp_path)
    assert findings.evaluation == {}
    assert findings.tables["roc"] == []


def test_an_empty_cell_is_nan() -> None:
    assert math.isnan(number(""))
    assert number("1e-3") == 0.001
