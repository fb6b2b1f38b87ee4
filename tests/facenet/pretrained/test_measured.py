import json
from importlib import resources
from pathlib import Path

import numpy as np
import pytest

from facenet import pretrained
from facenet.errors import WeightsInvalid
from facenet.matching import Matcher
from facenet.model import ModelCard
from facenet.pretrained import measured as module
from facenet.pretrained.measured import FILE, measured


def test_view_2_was_measured_whole_and_with_the_recipes_options() -> None:
    found = measured()
    evaluation, calibration = found["evaluation"], found["calibration"]
    assert evaluation["protocol"].startswith("LFW View 2, 10 folds")
    assert evaluation["pairs_used"] == 6000
    assert evaluation["accuracy"] >= 0.991
    assert (calibration["metric"], calibration["flip"], calibration["mean"]) == ("cosine", "mean", None)
    assert calibration["people"] > 3000
    assert calibration["identification"]["people"] == 5749
    assert "weights_sha256" not in calibration


def test_the_histograms_hold_all_pairs_and_the_threshold_separates_them() -> None:
    found = measured()
    distances, threshold = found["distances"], found["calibration"]["threshold"]
    edges = distances["edges"]
    assert edges == sorted(edges)
    for name, below in (("same", True), ("different", False)):
        counts = distances[name]
        assert len(counts) == len(edges) - 1
        assert sum(counts) == 3000
        correct = sum(count for count, low in zip(counts, edges, strict=False) if (low < threshold) == below)
        assert correct > 2900


def test_the_folder_is_calibrated_by_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    folder = pretrained.folder()
    matcher = Matcher.read(folder / "calibration.json")
    matcher.check(ModelCard.read(folder / "model.json").weights_sha256)
    assert matcher.threshold == measured()["calibration"]["threshold"]
    assert matcher.shortage(0.01) is None
    assert matcher.threshold_at(0.1) > matcher.threshold_at(0.01)
    distances = measured()["distances"]
    assert json.loads((folder / "evaluation.json").read_text())["distances"] == distances
    np.testing.assert_allclose(np.diff(distances["edges"]), distances["edges"][1])  # one width
    assert matcher.histogram is not None
    assert [*matcher.histogram.same] == distances["same"]
    assert [*matcher.histogram.different] == distances["different"]
    assert matcher.histogram.width * len(distances["same"]) == pytest.approx(distances["edges"][-1])


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("{", "is damaged"),
        ("{}", "is damaged: 'format'"),
        ('{"format": 1, "init_sha256": "0"}', "belongs to"),
        ('{"format": 2, "init_sha256": "0"}', "belongs to"),
    ],
)
def test_a_damaged_file_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, content: str, message: str
) -> None:
    (tmp_path / FILE).write_text(content)
    monkeypatch.setattr(module, "files", lambda package: tmp_path)
    measured.cache_clear()
    with pytest.raises(WeightsInvalid, match=rf"measured\.json {message}"):
        measured()
    monkeypatch.undo()
    assert resources.files(module.__package__ or "").joinpath(FILE).is_file()
    assert measured()["format"] == 1
