"""Distances and folds as charts."""

from tasks.report.distributions import distances, folds
from tests.tasks.report.test_curves import description

EVALUATION = {"accuracy": 0.9, "threshold": 0.75, "distance": "euclidean_squared"}


def test_distances_describe_medians_and_threshold() -> None:
    rows = [{"same": same, "distance": d} for same, d in (("true", "0.5"), ("false", "1"), ("false", "2"))]
    svg = distances(rows, EVALUATION)
    assert description(svg) == "Median distance 0.5 of same pairs, 1.5 of different pairs; threshold 0.75."
    assert "distance (euclidean, squared)" in svg
    assert "0.5 of same pairs, none of different pairs" in description(distances(rows[:1], EVALUATION))


def test_folds_describe_the_extremes() -> None:
    svg = folds([{"accuracy": "0.85"}, {"accuracy": "0.95"}], EVALUATION)
    assert description(svg) == "From 85 % to 95 %, mean 90 %."
