"""Charts of the accuracy of slices, by properties of the photos and by attributes of the people in them."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from markupsafe import Markup

from tasks.report.formatting import SLICES, percent, slice_name
from tasks.report.inputs import Metrics, Row, number
from tasks.report.svg import INK, MUTED, ONE, TWO, chart

FEWEST = 30  # pairs of a slice to be plotted; the table lists all slices
INCHES = 0.28  # height of a slice's row
GROUP_INCHES = 0.46  # height of the parts of an attribute, drawn close together
# By the first word of a part: colour, marker, and place within the attribute's group.
PARTS = {"both": (ONE, "o", 0.25), "one": (TWO, "s", 0.0), "neither": (INK, "D", -0.25)}


def by_photo(rows: Sequence[Row]) -> list[Row]:
    """Return the slices by properties of the photos, such as sharpness."""
    return [row for row in rows if row["slice"] in SLICES]


def by_attribute(rows: Sequence[Row]) -> list[Row]:
    """Return the slices by attributes that a source states, such as glasses."""
    return [row for row in rows if row["slice"] not in SLICES]


def slices(rows: Sequence[Row], evaluation: Metrics) -> Markup | None:
    """Return the accuracy of slices by photo with their 95 % intervals; None if all are too small to plot."""
    shown = [row for row in by_photo(rows) if int(row["pairs"]) >= FEWEST][::-1]
    if not shown:
        return None
    names = [slice_name(f"{row['slice']}, {row['part']}") for row in shown]

    def draw(axes: Any) -> None:
        axes.axvline(evaluation["accuracy"], color=MUTED, ls="--", lw=1.2)
        _points(axes, shown, np.arange(len(shown)), color=ONE, marker="o")
        axes.set_yticks(range(len(shown)), names)
        axes.set(ylim=(-0.7, len(shown) - 0.3))
        _percent_axis(axes)

    return chart(
        draw,
        name="slice-chart",
        title="Accuracy by slice",
        description=_lowest(shown),
        height=1.0 + INCHES * len(shown),
    )


def attributes(rows: Sequence[Row], evaluation: Metrics) -> Markup | None:
    """Return the accuracy by attribute of both, one or neither photo; None if no part is large enough.

    An attribute is one row with up to three points and their 95 % intervals.
    """
    shown = [
        row
        for row in by_attribute(rows)
        if int(row["pairs"]) >= FEWEST and row["part"].partition(" ")[0] in PARTS
    ]
    if not shown:
        return None
    names = list(dict.fromkeys(row["slice"] for row in shown))[::-1]

    def draw(axes: Any) -> None:
        axes.axvline(evaluation["accuracy"], color=MUTED, ls="--", lw=1.2)
        for part, (colour, marker, offset) in PARTS.items():
            found = [row for row in shown if row["part"].partition(" ")[0] == part]
            places = np.array([names.index(row["slice"]) + offset for row in found])
            _points(axes, found, places, color=colour, marker=marker, label=part)
        axes.set_yticks(range(len(names)), names)
        axes.set(ylim=(-0.6, len(names) - 0.4))
        axes.legend(loc="lower center", bbox_to_anchor=(0.5, 1), ncols=3, handletextpad=0.2)
        _percent_axis(axes)

    return chart(
        draw,
        name="attribute-chart",
        title="Accuracy by attribute",
        description=_lowest(shown),
        height=1.2 + GROUP_INCHES * len(names),
    )


def _points(axes: Any, rows: Sequence[Row], places: Any, **style: Any) -> None:
    """Plot the accuracy of rows with its 95 % interval at these heights."""
    accuracy, low, high = (
        np.array([number(row[name]) for row in rows])
        for name in ("accuracy", "accuracy_low", "accuracy_high")
    )
    bars = [np.maximum(0, accuracy - low), np.maximum(0, high - accuracy)]
    axes.errorbar(accuracy, places, xerr=bars, ls="none", capsize=3, **style)


def _percent_axis(axes: Any) -> None:
    axes.set_xlabel("accuracy")
    axes.xaxis.get_major_locator().set_params(nbins=4)
    axes.xaxis.set_major_formatter(lambda value, _: percent(value, 1))


def _lowest(rows: Sequence[Row]) -> str:
    worst = min(rows, key=lambda row: number(row["accuracy"]))
    name = slice_name(f"{worst['slice']}, {worst['part']}")
    return f"Lowest: {name}, {percent(number(worst['accuracy']))}."
