"""The table of operating points agrees with the calibration file."""

import csv
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from facenet.matching import Matcher
from tasks.evaluate.files import EvaluatePaths
from tasks.evaluate.operating import report_operating_points
from tasks.params.evaluate import EvaluateParams
from tests.tasks.evaluate.test_slices import evaluation


def read(path: Path) -> list[dict[str, str]]:
    with path.open() as file:
        return list(csv.DictReader(file))


def test_tables_metrics_and_calibration_agree(tmp_path: Path, params: EvaluateParams) -> None:
    result, changed = evaluation(), params.model_copy(update={"flip": "none", "far": 0.05})
    files = EvaluatePaths(reports=tmp_path, calibration=tmp_path / "m.json")
    metrics = report_operating_points(
        result, changed, files, lambda: None, protocol="p", weights_sha256="a" * 64, precision="bf16"
    )
    rows, matcher = read(tmp_path / "operating_points.csv"), Matcher.read(tmp_path / "m.json")
    assert (matcher.weights_sha256, matcher.precision) == ("a" * 64, "bf16")
    assert [row["far_target"] for row in rows] == ["0.1", "0.05", "0.01", "0.001", "0.0001"]
    assert list(metrics["val_at_far"]) == [row["far_target"] for row in rows]
    for row, threshold in zip(rows, matcher.thresholds, strict=True):
        assert (row["people"], row["people_pairs"], row["positive_people"]) == ("60", "60", "60")
        stated = metrics["val_at_far"][row["far_target"]]
        assert float(row["val"]) == pytest.approx(stated["val"], abs=1e-5)
        assert float(row["threshold"]) == pytest.approx(threshold.threshold, rel=1e-5)
        probability = matcher.probability(np.array([threshold.threshold]))[0]
        assert float(row["probability"]) == pytest.approx(probability, rel=1e-4)
        assert row["negatives"] == "60"
        assert row["supported"] == "false"
        assert "measured on 60 pairs of people; a false accept rate of" in row["in_words"]
    assert (matcher.people, matcher.people_pairs, matcher.shortage()) == (60, 60, None)
    low, high = metrics["accuracy_people_interval"]
    assert low <= result.result.metrics()["accuracy"] <= high
    assert sum(int(row["pairs"]) for row in read(tmp_path / "calibration.csv")) == 120
    assert 0 < metrics["calibration_brier"] < 0.25


def test_too_few_people_ship_no_thresholds_for_false_accept_rates(
    tmp_path: Path, params: EvaluateParams, caplog: pytest.LogCaptureFixture
) -> None:
    """The same pairs, all of 12 people: each pair of people occurs five times."""
    result = evaluation()
    table = result.pairs.usable.copy()
    for side in ("left_name", "right_name"):
        numbers = table[side].str.extract(r"P(\d+)/", expand=False).astype(int)
        table[side] = "P" + (numbers % 12).astype(str) + "/" + table[side].str.rpartition("/")[2]
    few = replace(result, pairs=replace(result.pairs, table=table, usable=table))
    files = EvaluatePaths(reports=tmp_path, calibration=tmp_path / "m.json")
    metrics = report_operating_points(
        few, params, files, lambda: None, protocol="p", weights_sha256="a" * 64, precision="bf16"
    )
    matcher = Matcher.read(tmp_path / "m.json")
    assert (matcher.people, matcher.people_pairs, matcher.thresholds) == (12, 12, ())
    assert matcher.threshold == pytest.approx(result.result.metrics()["threshold"])
    assert "supports no false accept rate: measured on 12 people" in caplog.text
    assert not any(point["supported"] for point in metrics["val_at_far"].values())
    for row in read(tmp_path / "operating_points.csv"):
        assert "measured on 12 people; at least 40 are needed" in row["in_words"]
        assert "Expected false accepts" not in row["in_words"]


def test_enough_pairs_of_people_support_a_rate(tmp_path: Path, params: EvaluateParams) -> None:
    """60 pairs of people support one false accept in two."""
    files = EvaluatePaths(reports=tmp_path, calibration=tmp_path / "m.json")
    asked = params.model_copy(update={"far": 0.5, "flip": "none"})
    report_operating_points(
        evaluation(), asked, files, lambda: None, protocol="p", weights_sha256="a" * 64, precision="bf16"
    )
    first = read(tmp_path / "operating_points.csv")[0]
    assert (first["far_target"], first["supported"]) == ("0.5", "true")
    assert first["in_words"].startswith(
        "Expected false accepts: 1 in 2 comparisons of different people, measured on 60 pairs of 60 people."
    )
    threshold = Matcher.read(tmp_path / "m.json").thresholds[0]
    assert (threshold.far, threshold.supported) == (0.5, True)
