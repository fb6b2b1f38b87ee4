"""The table of operating points agrees with the calibration file."""

import csv
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
    metrics = report_operating_points(result, changed, files, protocol="p", weights_sha256="a" * 64)
    rows, matcher = read(tmp_path / "operating_points.csv"), Matcher.read(tmp_path / "m.json")
    assert [row["far_target"] for row in rows] == ["0.1", "0.05", "0.01", "0.001", "0.0001"]
    assert list(metrics["val_at_far"]) == [row["far_target"] for row in rows]
    for row, threshold in zip(rows, matcher.thresholds, strict=True):
        stated = metrics["val_at_far"][row["far_target"]]
        assert float(row["val"]) == pytest.approx(stated["val"], abs=1e-5)
        assert float(row["threshold"]) == pytest.approx(threshold.threshold, rel=1e-5)
        probability = matcher.probability(np.array([threshold.threshold]))[0]
        assert float(row["probability"]) == pytest.approx(probability, rel=1e-4)
        assert row["negatives"] == "60"
        assert row["supported"] == "false"
        assert "Only 60 comparisons of different people were measured" in row["in_words"]
    low, high = metrics["accuracy_people_interval"]
    assert low <= result.result.metrics()["accuracy"] <= high
    assert sum(int(row["pairs"]) for row in read(tmp_path / "calibration.csv")) == 120
    assert 0 < metrics["calibration_brier"] < 0.25
