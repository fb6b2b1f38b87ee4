"""Distributions: distances of pairs, and accuracies of folds."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from markupsafe import Markup

from tasks.report.formatting import percent
from tasks.report.inputs import Metrics, Row, number
from tasks.report.svg import INK, ONE, TWO, chart

BINS = 48


def distances(decisions: Sequence[Row], evaluation: Metrics) -> Markup:
    """Return the histograms of the distances of same and different pairs, and the mean threshold."""
    same, different = (
        np.array([number(row["distance"]) for row in decisions if row["same"] == flag])
        for flag in ("true", "false")
    )
    threshold = evaluation["threshold"]
    edges = np.histogram_bin_edges(np.concatenate([same, different]), BINS)

    def draw(axes: Any) -> None:
        styles = (
            (same, "same", ONE, "-"),
            (different, "different", TWO, (0, (4, 1.5))),
        )
        for values, label, colour, dashes in styles:
            axes.hist(values, edges, histtype="stepfilled", color=colour, alpha=0.22)
            axes.hist(values, edges, histtype="step", color=colour, ls=dashes, lw=1.8, label=label)
        axes.axvline(threshold, ymax=0.84, color=INK, ls=":", lw=1.6, label=f"threshold {threshold:.4g}")
        axes.set(xlabel=f"distance ({evaluation['distance'].replace('_', ', ')})", ylabel="pairs")
        axes.set_ylim(top=axes.get_ylim()[1] * 1.28)  # room for the legend
        axes.legend(loc="upper center", ncols=3, fontsize=9.5, columnspacing=1.0, handlelength=1.6)

    medians = [f"{np.median(values):.3g}" if len(values) else "none" for values in (same, different)]
    return chart(
        draw,
        name="distances",
        title="Distances of same and different pairs",
        description=(
            f"Median distance {medians[0]} of same pairs, {medians[1]} of different pairs; "
            f"threshold {threshold:.4g}."
        ),
    )


def folds(rows: Sequence[Row], evaluation: Metrics) -> Markup:
    """Return the accuracy of each fold and their mean."""
    accuracies = [number(row["accuracy"]) for row in rows]
    mean = evaluation["accuracy"]

    def draw(axes: Any) -> None:
        numbers = range(1, len(rows) + 1)
        axes.axhline(mean, color=TWO, ls="--", lw=1.5, label=f"mean {percent(mean)}")
        axes.vlines(numbers, mean, accuracies, color=ONE, lw=1.5)
        axes.plot(numbers, accuracies, "o", color=ONE)
        axes.set_xticks(list(numbers)[:: -(-len(rows) // 10)])
        axes.set(xlabel="fold", ylabel="accuracy")
        axes.yaxis.set_major_formatter(lambda value, _: percent(value))
        axes.legend(loc="best")

    description = f"From {percent(min(accuracies))} to {percent(max(accuracies))}, mean {percent(mean)}."
    return chart(draw, name="fold-chart", title="Accuracy by fold", description=description)
