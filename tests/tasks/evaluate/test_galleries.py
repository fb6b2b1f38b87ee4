"""The table of the stage, and that serving reads what was measured."""

import csv
from typing import Any

import numpy as np
import pytest

from facenet.identification.identifier import Identifier
from facenet.matching import Matcher
from tasks.evaluate.galleries import report_galleries
from tasks.params.evaluate import EvaluateParams
from tests.tasks.evaluate.running import evaluate
from tests.tasks.evaluate.test_slices import evaluation

Workspace = Any


def test_the_calibration_has_the_measurement(workspace: Workspace, params: EvaluateParams) -> None:
    evaluate(workspace, params)
    with (workspace.paths["reports"] / "galleries.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert sorted({int(row["photos"]) for row in rows}) == [1, 2, 4, 8]
    assert {(row["people"], row["probe_people"], row["probes"]) for row in rows} == {("10", "10", "30")}
    assert {row["supported"] for row in rows} == {"false"}
    assert float(rows[0]["rank1"]) == 1  # of one person
    matcher = Matcher.read(workspace.paths["calibration"])
    assert matcher.identification is not None
    assert (matcher.identification.people, matcher.identification.thresholds) == (10, ())
    answer = Identifier(matcher).identify([0.0, 3.0], ["ann", "bob"])
    assert (answer.best, answer.supported) == ("ann", False)
    assert answer.reason == "measured on 10 people; at least 40 are needed"


def test_thresholds_of_the_table_are_those_of_the_calibration(tmp_path: Any) -> None:
    result = evaluation()  # 60 people with two photos each
    identities = {image_id: f"P{image_id[1:]}" for image_id in result.image_ids}
    galleries = report_galleries(result, identities, "cosine", reports=tmp_path)
    assert galleries is not None
    with (tmp_path / "galleries.csv").open() as file:
        rows = list(csv.DictReader(file))
    stored = galleries.calibration
    assert len(rows) == len(stored.sizes) * len(stored.fpirs) == 36
    for row in rows:
        threshold = stored.threshold(float(row["fpir_target"]), int(row["photos"]))
        assert float(row["threshold"]) == pytest.approx(threshold, rel=1e-5)
        assert (row["supported"] == "true") == (
            stored.shortage(float(row["fpir_target"]), int(row["photos"])) is None
        )
    assert np.all(np.diff([float(row["rank1"]) for row in rows[::6]]) <= 0)
