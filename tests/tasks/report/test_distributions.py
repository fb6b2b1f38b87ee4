"""Distances, folds and slices as charts."""

import re

from tasks.report.distributions import FEWEST, distances, folds, slices
from tasks.report.inputs import Row
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


def part(name: str, pairs: int, accuracy: float) -> Row:
    low, high = str(accuracy - 0.05), str(min(1.0, accuracy + 0.05))
    values = {"accuracy": str(accuracy), "accuracy_low": low, "accuracy_high": high}
    return {"slice": "side", "part": name, "pairs": str(pairs), **values}


def test_slices_that_are_large_enough_are_plotted() -> None:
    rows = [part("lowest third", FEWEST, 0.8), part("highest third", FEWEST, 0.95), part("unknown", 2, 0.1)]
    svg = slices(rows, EVALUATION)
    assert svg is not None
    assert description(svg) == "Lowest: face size, lowest third, 80 %."
    assert "unknown" not in svg
    assert re.search(r">face size, highest third<", svg)
    assert slices([part("unknown", 2, 0.1)], EVALUATION) is None
