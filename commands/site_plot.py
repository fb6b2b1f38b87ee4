"""A figure of a site calibration: distances with both probability curves, and the FAR at every threshold."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from facenet.site_calibration.measurement import SiteMeasurement

SUFFIXES = (".png", ".svg")
SIZE = 11, 4.6  # inches
BINS, POINTS = 60, 400
SAME, DIFFERENT, INK = "#1f6fb4", "#c4572b", "#333333"


def draw_site(path: Path, measured: SiteMeasurement) -> None:
    """Write the figure as PNG or SVG, by the suffix of `path`; its bytes depend only on the measurement.

    Raises:
        StorageFailed: the disk is full or the folder is not writable.
    """
    import matplotlib  # imported late, like NumPy: `--help` does not need them
    from matplotlib.figure import Figure

    from facenet.atomic import atomic_path

    figure = Figure(figsize=SIZE, dpi=110, layout="constrained")
    left, right = figure.subplots(1, 2)
    _distances(left, measured)
    _rates(right, measured)
    site = measured.calibration
    title = f"{site.name}: {site.people} people, {site.photos} photos"
    figure.suptitle(title, parse_math=False)
    kind = path.suffix.lower().removeprefix(".")
    metadata = {"Software": None} if kind == "png" else {"Date": None, "Creator": None}
    with atomic_path(path) as temporary, matplotlib.rc_context({"svg.hashsalt": "facenet"}):
        figure.savefig(temporary, format=kind, metadata=metadata)


def _distances(axes: Any, measured: SiteMeasurement) -> None:
    """Draw the histograms of same and different pairs, people weighing the same, and the curves."""
    import numpy as np

    pairs = measured.pairs
    largest = float(max(pairs.different.max(), pairs.same.max(initial=0)))
    edges = np.linspace(0, largest, BINS + 1)
    drawn = [(pairs.different, pairs.different_weights(), DIFFERENT, "two people")]
    if len(pairs.same):
        drawn.append((pairs.same, pairs.same_weights(), SAME, "one person"))
    for distances, weights, colour, label in drawn:
        counts = np.histogram(distances, edges, weights=weights)[0]
        axes.stairs(counts / counts.max(), edges, fill=True, color=colour, alpha=0.35, label=label)
    places = np.linspace(0, largest, POINTS)
    evaluation = measured.evaluation_curve.probability(places)
    axes.plot(places, evaluation, "--", color=INK, lw=1.2, label="probability, evaluation")
    if measured.curve is not None:
        axes.plot(places, measured.curve.probability(places), color=INK, lw=1.8, label="probability, here")
    axes.axvline(measured.default.threshold, color=INK, ls=":", lw=1.6, label="threshold")
    axes.set(xlabel="distance", ylabel="probability; pairs, highest bin = 1", ylim=(0, 1.02))
    axes.set_xlim(0, largest)
    axes.legend(fontsize=8.5, loc="center right")


def _rates(axes: Any, measured: SiteMeasurement) -> None:
    """Draw the FAR at every threshold, and the intervals at the measured ones."""
    import numpy as np

    pairs = measured.pairs
    order = np.argsort(pairs.different, kind="stable")
    rates = np.cumsum(pairs.different_weights()[order]) / pairs.people_pairs
    step = max(1, len(order) // 20_000)  # points that nobody could tell apart
    axes.plot(pairs.different[order][::step], rates[::step], color=DIFFERENT, lw=1.6, label="FAR here")
    least = min(point.far for point in measured.points) / 5
    for number, point in enumerate(measured.points):
        for interval, width, label in (
            (point.reached.group, 2, f"{pairs.people} other people, 95 %"),
            (point.reached.long_run, 6, "many people like these, 95 %"),
        ):
            low, high = (max(edge, least) for edge in interval)
            shown = label if number == 0 else None
            axes.plot([point.threshold] * 2, [low, high], color=SAME, lw=width, alpha=0.6, label=shown)
        if point.evaluation_threshold is not None:
            label = "evaluation's threshold" if number == 0 else ""
            axes.plot(point.evaluation_threshold, point.far, "x", color=INK, label=label)
        axes.plot(point.threshold, point.far, "o", color=INK, ms=4, label="threshold" if number == 0 else "")
    axes.set(yscale="log", xlabel="threshold", ylabel="false accept rate (FAR)", ylim=(least, 1))
    axes.grid(alpha=0.3)
    axes.legend(fontsize=8.5, loc="lower right")
