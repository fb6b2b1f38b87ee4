"""The page's tables agree with the files."""

from pathlib import Path

from tasks.report.inputs import read_findings
from tasks.report.page import Subject
from tasks.report.tables import MOST, parameters, tables
from tests.tasks.report.conftest import Reported


def test_every_row_has_a_cell_for_each_column(evaluated: Subject) -> None:
    made = tables(read_findings(evaluated.reports))
    assert len([table for table in made.values() if table.rows]) >= 12
    for table in made.values():
        assert {len(row) for row in table.rows} <= {len(table.head)}, table.caption
        assert all(isinstance(cell, str) for row in table.rows for cell in row)


def test_folds_and_slices_say_what_the_files_say(evaluated: Subject) -> None:
    findings = read_findings(evaluated.reports)
    made = tables(findings)
    first = findings.tables["folds"][0]
    cells = [cell.replace("\N{NO-BREAK SPACE}", " ") for cell in made["folds"].rows[0]]
    assert cells[:3] == ["1", first["pairs"], f"{100 * float(first['accuracy']):.2f} %"]
    assert len(made["slices"].rows) == len(findings.tables["slices"])
    assert made["ingest_rejected"].rows == [("too small", "2"), ("corrupt", "1")]
    assert made["align_rejected"].rows == []


def test_decisions_are_counted(reported: Reported) -> None:
    assert "decisions_made" in tables(read_findings(reported.subject.reports))
    assert "Decisions about photos" not in reported.page()
    counts = {"keep": 0, "drop": 1200, "move": 0, "merge": 2, "split": 0}
    effects = {"rows": counts, "photos": {**counts, "merge": 31}, "pairs_left_out": 7}
    reported.change_metrics("ingest", decisions=effects)
    table = tables(read_findings(reported.subject.reports))["decisions_made"]
    rows = [tuple(cell.replace("\N{NO-BREAK SPACE}", " ") for cell in row) for row in table.rows]
    assert rows == [("drop", "1,200", "1,200"), ("merge", "2", "31")]
    page = reported.page()
    assert "Decisions about photos and people" in page
    assert "7 evaluation pairs were left out, because decisions" in page


HATS = [
    ["hat", "both with a hat", "", "", "40", "20", "0.75", "0.6", "0.86", "4", "6"],
    ["hat", "unknown", "", "", "3", "1", "1", "0.4", "1", "0", "0"],
]


def test_slices_by_attribute_have_their_own_table_and_chart(reported: Reported) -> None:
    assert "Slices by attributes" not in reported.page()
    rows = reported.rows("slices")
    reported.write_rows("slices", [*rows, *HATS])
    made = tables(read_findings(reported.subject.reports))
    assert len(made["slices"].rows) == len(rows) - 1
    cells = [[cell.replace("\N{NO-BREAK SPACE}", " ") for cell in row] for row in made["attributes"].rows]
    assert cells == [
        ["both with a hat", "75.00 %", "60.00 to 86.00 %", "40", "4", "6"],
        ["hat, unknown", "100.00 %", "40.00 to 100.00 %", "3", "0", "0"],
    ]
    page = reported.page()
    assert "Slices by attributes of both photos of a pair" in page
    assert "Lowest: both with a hat, 75" in page


def test_a_long_list_is_truncated_and_says_so(reported: Reported) -> None:
    header = reported.rows("missing_pairs")[0]
    lost = [[f"a/a_{n:04d}", "b/b_0001", "false", "-1", "no face"] for n in range(50)]
    reported.write_rows("missing_pairs", [header, *lost])
    table = tables(read_findings(reported.subject.reports))["missing_pairs"]
    assert (len(table.rows), table.total) == (MOST, 50)
    assert table.rows[0] == ("a/a_0000 and b/b_0001", "0", "no face")
    assert "The first 20 of 50; all are in reports/missing_pairs.csv." in reported.page()


def test_parameters_are_exact() -> None:
    (table,) = parameters({"train": {"rate": 1e-07, "steps": {"-1": 0.1}, "init": None}})
    assert (table.caption, table.rows) == (
        "train",
        [("rate", "1e-07"), ("steps.-1", "0.1"), ("init", "null")],
    )


def test_a_missing_report_gives_no_rows(tmp_path: Path) -> None:
    assert not any(table.rows for table in tables(read_findings(tmp_path)).values())
