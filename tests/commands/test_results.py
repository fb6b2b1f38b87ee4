"""The table shows the metrics of the reports, and names the report that is missing."""

import json
from pathlib import Path

import pytest

from commands.results import results_table
from facenet.errors import DataInvalid
from tasks.params import load_params
from tasks.params.register import Bounds, Gate
from tasks.reports import read_report, write_report
from tests.commands.running import facenet
from tests.tasks.params.changed import text


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
    for part in (
        "0.9123 ± 0.0120",
        "899 of 900",
        "VAL@FAR 0.001",
        "812.4",
        "120.0",
        "facenet version 3",
        "challenger",
    ):
        assert part in table
    assert "train images/s     -" in table
    assert len(table.split("Next:")[1].strip().splitlines()) == 3


def test_a_model_that_was_not_registered_is_shown_with_the_reason(tmp_path: Path) -> None:
    _write_reports(tmp_path)
    (tmp_path / "registration.json").unlink()
    gates: dict[str, Gate] = {"accuracy": 0.97, "eer": Bounds(max=0.05), "auc": 0.5}
    table = results_table(tmp_path, gates)
    assert "0.9123 ± 0.0120" in table
    assert (
        "not registered: accuracy: required at least 0.97, got 0.91234; "
        "eer: required at most 0.05, got 0.08\n"
    ) in table
    assert "flows.promotion" not in table
    assert "not registered: the stage register has not run" in results_table(tmp_path, {"accuracy": 0.9})


def test_the_gates_of_params_yaml_are_the_default(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _write_reports(tmp_path / "reports")
    (tmp_path / "reports" / "registration.json").unlink()
    (tmp_path / "params.yaml").write_text(text({"register.gates": {"auc": 0.999}}))
    monkeypatch.chdir(tmp_path)
    load_params.cache_clear()
    assert "not registered: auc: required at least 0.999, got 0.97" in results_table()
    load_params.cache_clear()


def test_metrics_that_are_not_finite_are_shown(tmp_path: Path) -> None:
    _write_reports(tmp_path)
    evaluation = read_report(tmp_path / "evaluation.json")
    write_report(tmp_path / "evaluation.json", evaluation | {"val_std": float("nan"), "auc": float("inf")})
    table = results_table(tmp_path)
    assert "0.5000 ± nan" in table
    assert "AUC inf" in " ".join(table.split())


def test_a_damaged_report_is_named_with_its_stage(tmp_path: Path) -> None:
    for name, stage in (("evaluation", "evaluate"), ("registration", "register")):
        _write_reports(tmp_path)
        (tmp_path / f"{name}.json").write_text("")
        with pytest.raises(DataInvalid, match=rf"{name}\.json cannot be read .*dvc repro {stage}`"):
            results_table(tmp_path)


def test_missing_report_is_named(tmp_path: Path) -> None:
    _write_reports(tmp_path)
    (tmp_path / "train.json").unlink()
    with pytest.raises(DataInvalid, match=r"train\.json.*dvc repro"):
        results_table(tmp_path)


def test_json_has_the_reports_and_no_receipt_for_a_model_that_is_not_registered(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "reports").mkdir()
    _write_reports(tmp_path / "reports")
    monkeypatch.chdir(tmp_path)
    assert facenet("results", "--json") == 0
    printed = json.loads(capsys.readouterr().out)
    assert printed["evaluate"]["accuracy"] == 0.91234
    assert printed["register"] == {"model": "facenet", "version": 3, "aliases": ["challenger"]}
    (tmp_path / "reports" / "registration.json").unlink()
    assert facenet("results", "--json") == 0
    assert json.loads(capsys.readouterr().out)["register"] is None
