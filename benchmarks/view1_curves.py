"""Plot loss and validation accuracy of several training runs, one panel each."""

from collections.abc import Mapping
from pathlib import Path

import pandas as pd

from facenet.atomic import atomic_path

COLUMNS = 3
LOSS, ACCURACY = "tab:blue", "tab:orange"


def draw_curves(path: Path, histories: Mapping[str, Path]) -> None:
    """Write an SVG with a panel per recipe: loss (left axis) and accuracy (right axis) by epoch."""
    import matplotlib as mpl
    from matplotlib.backends.backend_svg import FigureCanvasSVG
    from matplotlib.figure import Figure
    from matplotlib.ticker import MaxNLocator

    rows = max(1, -(-len(histories) // COLUMNS))
    figure = Figure(figsize=(3.4 * COLUMNS, 2.4 * rows), layout="constrained")
    panels = figure.subplots(rows, COLUMNS, squeeze=False).flat
    for panel, (recipe, history) in zip(panels, histories.items(), strict=False):
        table = pd.read_csv(history)
        panel.plot(table["epoch"], table["loss"], color=LOSS)
        panel.set_title(recipe, fontsize=9)
        panel.set_ylabel("loss", color=LOSS, fontsize=8)
        panel.xaxis.set_major_locator(MaxNLocator(integer=True))
        validated = table.dropna(subset="validation_accuracy")
        right = panel.twinx()
        right.plot(validated["epoch"], validated["validation_accuracy"], color=ACCURACY, marker=".")
        right.set_ylim(0.5, 1)
        right.set_ylabel("validation accuracy", color=ACCURACY, fontsize=8)
        for axes in (panel, right):
            axes.tick_params(labelsize=7)
    for panel in list(figure.axes)[len(histories) : rows * COLUMNS]:
        panel.set_axis_off()
    # Text stays text, for screen readers.
    with mpl.rc_context({"svg.hashsalt": "view1", "svg.fonttype": "none"}), atomic_path(path) as temporary:
        FigureCanvasSVG(figure).print_svg(temporary, metadata={"Date": None, "Creator": None})
