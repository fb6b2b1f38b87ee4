"""The table shows the metrics of the reports, and names the report that is missing."""

from pathlib import Path

import pytest

from facenet.errors import DataInvalid
from tasks.commands.results import results_table
from tasks.reports import write_report


def _write_reports(folder: Path) -> None:
    write_report(folder / "ingest.json", {"images_per_second": 812.35})
    write_report(folder / "align.json", {"images_per_second": 120.0})
    write_report(folder / "train.json", {"images_per_second": None})
    evaluation = {
        "protocol": "generated pairs",
        "pairs_used": 899,
        "pairs_total": 900,
        "accuracy": 0.91234,
        "accuracy_std": 0.012,
        "far_target": 0.001,
        "val": 0.5,
        "val_std": 0.1,
        "auc": 0.97,
        "eer": 0.08,
        "images_per_second": 64.0,
    }
    write_report(folder / "evaluation.json", evaluation)
    write_report(folder / "registration.json", {"model": "facenet", "version": 3, "aliases": ["challenger"]})


def test_table_shows_every_metric(tmp_path: Path) -> None:
    _write_reports(tmp_path)
    table = results_table(tmp_path)
    for text in (
        "0.9123 ± 0.0120",
        "899 of 900",
        "VAL@FAR 0.001",
        "812.4",
        "120.0",
        "facenet version 3",
        "challenger",
    ):
        assert text in table
    assert "train images/s     -" in table
    assert len(table.split("Next:")[1].strip().splitlines()) == 3


def test_missing_report_is_named(tmp_path: Path) -> None:
    _write_reports(tmp_path)
    (tmp_path / "train.json").unlink()
    with pytest.raises(DataInvalid, match=r"train\.json.*dvc repro"):
        results_table(tmp_path)
