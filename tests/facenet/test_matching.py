"""Distance, probability and thresholds of a calibration, and its file."""

import json
from pathlib import Path
from typing import get_args

import numpy as np
import pytest

from facenet.errors import WeightsInvalid
from facenet.evaluation.distances import Flip, Metric, combine_flips, pair_distances
from facenet.matching import Matcher, Threshold


def matcher(**fields: object) -> Matcher:
    given = {
        "weights_sha256": "a" * 64,
        "protocol": "LFW View 2",
        "metric": "cosine",
        "flip": "concatenate",
        "mean": tuple(np.linspace(0, 0.1, 8)),
        "slope": 9.5,
        "intercept": 6.0,
        "threshold": 0.62,
        "thresholds": (Threshold(0.1, 0.8, True), Threshold(0.001, 0.5, False)),
        "people": 50,
        "people_pairs": 600,
    }
    return Matcher(**{**given, **fields})


def faces() -> list[np.ndarray]:
    rows = np.random.default_rng(0).normal(size=(4, 3, 4))
    return list(rows / np.linalg.norm(rows, axis=2, keepdims=True))


def test_distances_equal_a_loop() -> None:
    left, right, left_mirrored, right_mirrored = faces()
    one = matcher()
    found = one.template_pairs(one.templates(left, left_mirrored), one.templates(right, right_mirrored))
    for row, distance in enumerate(found):
        a = np.concatenate([left[row], left_mirrored[row]]) - np.linspace(0, 0.1, 8)
        b = np.concatenate([right[row], right_mirrored[row]]) - np.linspace(0, 0.1, 8)
        assert distance == pytest.approx(1 - a @ b / np.linalg.norm(a) / np.linalg.norm(b), abs=1e-6)
    plain = matcher(flip="none", mean=None, metric="euclidean_squared")
    squares = plain.template_pairs(plain.templates(left), plain.templates(right))
    assert squares == pytest.approx(((left - right) ** 2).sum(axis=1), rel=1e-6)


@pytest.mark.parametrize("length", [1.0, 25.0])
@pytest.mark.parametrize("centred", [True, False])
@pytest.mark.parametrize("flip", get_args(Flip))
@pytest.mark.parametrize("metric", get_args(Metric))
def test_templates_give_the_distances_of_the_evaluation(
    metric: Metric, flip: Flip, centred: bool, length: float
) -> None:
    """Also for networks that return raw embeddings, whose lengths differ."""
    random = np.random.default_rng(1)
    plain, mirrored = random.normal(size=(2, 12, 32)).astype(np.float32)
    if length == 1:
        plain, mirrored = (rows / np.linalg.norm(rows, axis=1, keepdims=True) for rows in (plain, mirrored))
    plain, mirrored = length * plain, length * mirrored
    rows = combine_flips(plain, mirrored, flip)
    mean = rows[:5].mean(axis=0) if centred else None
    left, right = (each.ravel() for each in np.indices((12, 12)))
    means = None if mean is None else mean[None]
    expected = pair_distances(rows, left, right, metric, means)[0]
    calibration = matcher(metric=metric, flip=flip, mean=None if mean is None else tuple(mean))
    templates = calibration.templates(plain, None if flip == "none" else mirrored)
    assert (templates.dtype, templates.shape) == (np.float32, rows.shape)
    scale = float(np.square(rows).sum(axis=1).max()) if metric == "euclidean_squared" else 1.0
    pairs = calibration.template_pairs(templates[left], templates[right])
    np.testing.assert_allclose(pairs, expected, atol=2e-6 * scale, rtol=0)
    product = calibration.template_distances(templates, templates)
    near = left != right if metric == "arccos" else left >= 0  # arccos is steep at 0
    np.testing.assert_allclose(product.ravel()[near], expected[near], atol=2e-6 * scale, rtol=0)
    assert np.diag(product).max() < (5e-4 if metric == "arccos" else 2e-6 * scale)
    if metric != "euclidean_squared":
        np.testing.assert_allclose(np.linalg.norm(templates, axis=1), 1, atol=1e-6)


def test_a_template_equal_to_the_mean_is_at_right_angles_to_all() -> None:
    mean = np.linspace(0, 1, 4)
    calibration = matcher(flip="none", mean=tuple(mean))
    templates = calibration.templates(np.stack([mean, mean + 1]))
    assert templates[0].tolist() == [0, 0, 0, 0]
    assert calibration.template_distances(templates[:1], templates).tolist() == [[1, 1]]
    assert len(calibration.template_pairs(templates[:0], templates[:0])) == 0


def test_probability_falls_with_the_distance_and_the_prior() -> None:
    found = matcher().probability(np.array([0.1, 6 / 9.5, 1.2]))
    assert found[1] == pytest.approx(0.5)
    assert found[0] > 0.9
    assert found[2] < 0.1
    assert matcher().probability(np.array([0.1]), prior=0.001)[0] < found[0]


def test_only_measured_thresholds_are_returned() -> None:
    assert (matcher().threshold_at(), matcher().threshold_at(0.001)) == (0.62, 0.5)
    with pytest.raises(ValueError, match=r"no threshold was measured at FAR 0.01"):
        matcher().threshold_at(0.01)


def test_too_few_people_support_no_rate() -> None:
    few = matcher(people=10, people_pairs=45, thresholds=())
    assert few.threshold_at() == 0.62
    assert few.shortage() == few.shortage(0.1) == "measured on 10 people; at least 40 are needed"
    with pytest.raises(ValueError, match=r"no threshold for FAR 0.001: measured on 10 people"):
        few.threshold_at(0.001)


def test_a_rate_needs_pairs_of_people() -> None:
    assert matcher().shortage() is matcher().shortage(0.1) is None
    shortage = matcher().shortage(0.001)
    assert shortage is not None
    assert "600 pairs of people; a false accept rate of 0.001 needs at least 30,000" in shortage


def test_a_file_of_an_earlier_version_is_read_but_supports_nothing(tmp_path: Path) -> None:
    path = tmp_path / "calibration.json"
    matcher().write(path)
    fields = json.loads(path.read_text())
    for name in ("people", "people_pairs", "mean_source"):
        del fields[name]
    path.write_text(json.dumps(fields))
    shortage = Matcher.read(path).shortage()
    assert shortage is not None
    assert "dvc repro evaluate" in shortage


def test_file_round_trip(tmp_path: Path) -> None:
    path = tmp_path / "calibration.json"
    matcher().write(path)
    assert Matcher.read(path) == matcher()
    matcher(mean=None).write(path)
    assert Matcher.read(path).mean is None


@pytest.mark.parametrize("change", [{"format": 2}, {"slope": None, "surplus": 1}])
def test_an_invalid_file_raises(tmp_path: Path, change: dict[str, object]) -> None:
    path = tmp_path / "calibration.json"
    with pytest.raises(WeightsInvalid, match="dvc repro evaluate"):
        Matcher.read(path)
    matcher().write(path)
    path.write_text(json.dumps(json.loads(path.read_text()) | change))
    with pytest.raises(WeightsInvalid, match="dvc repro evaluate"):
        Matcher.read(path)
