"""Comparison of the points of a grid: a table, best first, and a plot of the metric."""

import csv
import io
import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from facenet.atomic import atomic_path, write_text
from tasks.sweep.grid import Point, value_text

METRICS = {"accuracy": 1, "val": 1, "auc": 1, "eer": -1}  # in reports/evaluation.json; -1: lower is better
Row = dict[str, str]


@dataclass(frozen=True)
class PointResult:
    """The result of a point: the metrics of reports/evaluation.json, or the error that ended it.

    registration: the receipt of its registered version, empty without one.
    """

    point: Point
    metrics: dict[str, Any] = field(default_factory=dict)
    error: str = ""
    registration: dict[str, Any] = field(default_factory=dict)

    def interval(self, metric: str) -> tuple[float, float] | None:
        """Return the 95 % interval of a metric, None if the evaluation has none."""
        found = self.metrics.get(f"{metric}_interval")
        return (float(found[0]), float(found[1])) if found else None


def ranked(results: Sequence[PointResult], metric: str) -> list[PointResult]:
    """Return the results, best first; ties in the order of the grid, failed points last."""

    def cost(result: PointResult) -> float:
        value = math.nan if result.error else result.metrics[metric]
        return -METRICS[metric] * value if math.isfinite(value) else math.inf

    return sorted(results, key=cost)


def table(results: Sequence[PointResult], metric: str) -> list[Row]:
    """Return a row of strings per result, best first: values, metric with interval, other metrics, error."""
    return [
        {
            **{key: value_text(value) for key, value in result.point.items()},
            **_metrics(result, metric),
            "error": result.error.partition("\n")[0],
        }
        for result in ranked(results, metric)
    ]


def _metrics(result: PointResult, metric: str) -> Row:
    low, high = result.interval(metric) or (None, None)
    others = {name: result.metrics.get(name) for name in METRICS if name != metric}
    values = {metric: result.metrics.get(metric), f"{metric}_low": low, f"{metric}_high": high, **others}
    return {name: "" if value is None else f"{value:.6f}" for name, value in values.items()}


def write_csv(path: Path, rows: Sequence[Row]) -> None:
    """Write the table atomically; the same results give the same bytes."""
    text = io.StringIO()
    writer = csv.DictWriter(text, list(rows[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    write_text(path, text.getvalue())


def as_text(rows: Sequence[Row]) -> str:
    """Return the table in aligned columns for a terminal, without empty columns."""
    names = [name for name in rows[0] if any(row[name] for row in rows)]
    lines = [names, *([row[name] or "-" for name in names] for row in rows)]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    return "\n".join(
        "  ".join(f"{cell:<{width}}" for cell, width in zip(line, widths, strict=True)).rstrip()
        for line in lines
    )


def draw(path: Path, results: Sequence[PointResult], metric: str) -> None:
    """Plot the metric of every successful point with its 95 % interval, as PNG.

    Lines join the points along the first numeric axis of the grid, one line per combination of the other
    axes. Without a numeric axis every point is a dot.
    """
    from matplotlib import rc_context
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    with rc_context({"text.parse_math": False}):  # a value may contain dollar signs
        figure = Figure(figsize=(9, 5), layout="constrained")
        _plot(figure.subplots(), results, metric)
        with atomic_path(path) as temporary:
            FigureCanvasAgg(figure).print_png(temporary, metadata={"Software": None})


def _plot(axes: Any, results: Sequence[PointResult], metric: str) -> None:
    done = [result for result in results if not result.error]
    key = numeric_axis(results)
    for name, line in lines(done, key).items():
        xs = [o.point[key] if key else done.index(o) for o in line]
        ys, style = [o.metrics[metric] for o in line], "o-" if key else "o"
        axes.errorbar(xs, ys, yerr=_bars(line, metric), fmt=style, capsize=3, label=name or None)
    if key:
        axes.set_xlabel(key)
        if any(lines(done, key)):
            axes.legend()
    else:
        texts = ["\n".join(f"{k}={value_text(v)}" for k, v in o.point.items()) for o in done]
        axes.set_xticks(range(len(done)), texts, rotation=30, ha="right")
    failed = len(results) - len(done)
    axes.set_title(f"{metric} of {len(done)} points" + (f", {failed} failed" if failed else ""))
    axes.set_ylabel(f"{metric}, 95 % interval" if any(o.interval(metric) for o in done) else metric)
    axes.grid(alpha=0.3)


def numeric_axis(results: Sequence[PointResult]) -> str | None:
    """Return the first key of the grid with several values, all of them numbers; None if there is none."""
    for key in results[0].point:
        values = [result.point[key] for result in results]
        if all(type(value) in (int, float) for value in values) and len(set(values)) > 1:
            return key
    return None


def lines(results: Sequence[PointResult], key: str | None) -> dict[str, list[PointResult]]:
    """Return the results grouped by their values other than `key`, as text, and sorted by `key`."""

    def others(result: PointResult) -> str:
        return ", ".join(f"{k}={value_text(v)}" for k, v in result.point.items() if key and k != key)

    grouped = itertools.groupby(sorted(results, key=others), key=others)  # stable: the order of the grid
    found = {name: list(line) for name, line in grouped}
    return {name: sorted(line, key=lambda o: o.point[key]) if key else line for name, line in found.items()}


def _bars(line: Sequence[PointResult], metric: str) -> list[list[float]] | None:
    """Return the lengths of the intervals below and above the metric, as matplotlib expects them."""
    if not any(result.interval(metric) for result in line):
        return None
    values = [float(result.metrics[metric]) for result in line]
    intervals = [result.interval(metric) or (v, v) for result, v in zip(line, values, strict=True)]
    below = [max(v - low, 0.0) for v, (low, _) in zip(values, intervals, strict=True)]
    above = [max(high - v, 0.0) for v, (_, high) in zip(values, intervals, strict=True)]
    return [below, above]
