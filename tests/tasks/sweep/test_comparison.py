"""Comparison of the points of a grid: ranking, CSV, text and plot."""

import itertools
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from tasks.sweep.comparison import PointResult, as_text, draw, lines, numeric_axis, ranked, table, write_csv


def result(accuracy: float, eer: float = 0.1, **point: Any) -> PointResult:
    metrics = {"accuracy": accuracy, "accuracy_interval": [accuracy - 0.02, accuracy + 0.01]}
    return PointResult(point, {**metrics, "val": 0.5, "auc": 0.9, "eer": eer})


GRID = [
    result(0.8, eer=0.3, margin=0.2, loss="cosface"),
    result(0.9, eer=0.2, margin=0.2, loss="arcface"),
    PointResult({"margin": 0.5, "loss": "cosface"}, error="ParamsInvalid: margin\nis too large"),
    result(0.9, eer=0.1, margin=0.5, loss="arcface"),
]


def test_the_best_comes_first_ties_as_in_the_grid_and_failed_points_last() -> None:
    assert ranked(GRID, "accuracy") == [GRID[1], GRID[3], GRID[0], GRID[2]]
    assert ranked(GRID, "eer") == [GRID[3], GRID[1], GRID[0], GRID[2]]


def test_a_metric_that_is_not_finite_ranks_with_the_failed_points() -> None:
    unknown = result(float("nan"), margin=0.7, loss="cosface")
    assert ranked([unknown, *GRID], "accuracy") == [GRID[1], GRID[3], GRID[0], unknown, GRID[2]]


def test_a_row_has_values_metric_interval_and_error() -> None:
    rows = table(GRID, "accuracy")
    assert rows[0] == {
        "margin": "0.2",
        "loss": "arcface",
        "accuracy": "0.900000",
        "accuracy_low": "0.880000",
        "accuracy_high": "0.910000",
        "val": "0.500000",
        "auc": "0.900000",
        "eer": "0.200000",
        "error": "",
    }
    assert rows[-1] == {**dict.fromkeys(rows[0], ""), "margin": "0.5", "loss": "cosface"} | {
        "error": "ParamsInvalid: margin"
    }
    assert (table(GRID, "eer")[0]["eer_low"], table(GRID, "eer")[0]["eer"]) == ("", "0.100000")


def test_the_order_of_the_results_does_not_change_the_file(tmp_path: Path) -> None:
    distinct = [GRID[0], GRID[2], GRID[3]]
    for order in itertools.permutations(distinct):
        write_csv(tmp_path / "sweep.csv", table(order, "accuracy"))
        assert (tmp_path / "sweep.csv").read_text() == (
            "margin,loss,accuracy,accuracy_low,accuracy_high,val,auc,eer,error\n"
            "0.5,arcface,0.900000,0.880000,0.910000,0.500000,0.900000,0.100000,\n"
            "0.2,cosface,0.800000,0.780000,0.810000,0.500000,0.900000,0.300000,\n"
            "0.5,cosface,,,,,,,ParamsInvalid: margin\n"
        )


def test_the_text_for_a_terminal_has_no_empty_columns() -> None:
    assert as_text(table([GRID[0], result(0.95, margin=0.35, loss="x")], "eer")).splitlines() == [
        "margin  loss     eer       accuracy  val       auc",
        "0.35    x        0.100000  0.950000  0.500000  0.900000",
        "0.2     cosface  0.300000  0.800000  0.500000  0.900000",
    ]


def test_lines_join_points_that_differ_only_in_the_numeric_axis() -> None:
    assert numeric_axis(GRID) == "margin"
    joined = lines([result(0.7, margin=0.6, loss="arcface"), *GRID[:2], GRID[3]], "margin")
    assert {name: [o.point["margin"] for o in line] for name, line in joined.items()} == {
        "loss=arcface": [0.2, 0.5, 0.6],
        "loss=cosface": [0.2],
    }
    assert numeric_axis([result(0.7, flip=True), result(0.8, flip=False)]) is None
    assert numeric_axis([result(0.7, seed=1, ema=None), result(0.8, seed=1, ema=0.9)]) is None


@pytest.mark.parametrize(
    "results",
    [
        GRID,
        [result(0.7, margin=0.2), result(0.8, margin=0.4)],
        [result(0.7, loss="a"), result(0.8, loss="b")],
        [PointResult({"margin": 0.2}, error="no"), PointResult({"margin": 0.3}, error="no")],
        [PointResult({"margin": 0.2}, {"accuracy": 0.5}), PointResult({"margin": 0.3}, {"accuracy": 0.6})],
        [result(0.7, path={"a": "$x^{$"}, loss=0.1), result(0.8, path={"a": "$x^{$"}, loss=0.2)],
    ],
    ids=["grid", "one axis", "words", "all failed", "no interval", "braces and dollars"],
)
def test_every_set_of_results_can_be_plotted(results: list[PointResult], tmp_path: Path) -> None:
    draw(tmp_path / "sweep.png", results, "accuracy")
    first = (tmp_path / "sweep.png").read_bytes()
    draw(tmp_path / "sweep.png", results, "accuracy")
    assert (tmp_path / "sweep.png").read_bytes() == first
    with Image.open(tmp_path / "sweep.png") as image:
        assert len(image.convert("RGB").getcolors(1 << 20) or []) > 20


def test_the_plot_has_points_intervals_and_lines(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from matplotlib.axes import Axes

    drawn: list[tuple[Any, Any, Any]] = []
    errorbar = Axes.errorbar

    def seen(self: Axes, xs: Any, ys: Any, yerr: Any = None, **style: Any) -> Any:
        drawn.append((xs, ys, yerr))
        return errorbar(self, xs, ys, yerr=yerr, **style)

    monkeypatch.setattr(Axes, "errorbar", seen)
    draw(tmp_path / "sweep.png", GRID, "accuracy")
    (xs, ys, (below, above)), (single, _, _) = drawn
    assert (xs, ys, single) == ([0.2, 0.5], [0.9, 0.9], [0.2])
    assert (below, above) == (pytest.approx([0.02, 0.02]), pytest.approx([0.01, 0.01]))
