"""A range of percentages."""

from tasks.report.table import interval


def test_an_interval_has_one_unit() -> None:
    row = {"far_low": "0.0125", "far_high": "0.25"}
    assert interval(row, "far", 1).replace("\u202f", " ").replace("\u00a0", " ") == "1.2 to 25.0 %"
