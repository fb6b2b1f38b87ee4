"""A plot of evaluated photos next to the training photos they leak from."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

from tasks.evaluate.leak_search import Leak, read_faces
from tasks.evaluate.pictures import DPI, save

SHOWN = 12  # leaks
COLUMNS = 4


def draw_leaks(path: Path, leaks: Sequence[Leak], aligned: Path) -> None:
    """Draw the faces of the first leaks side by side; the title says so if there are none."""
    shown = [leak for leak in leaks if leak.evaluated_photo and leak.trained_photo]
    shown.sort(
        key=lambda leak: leak.found_by == "name"
    )  # photos in training are stronger evidence, and first
    shown = shown[:SHOWN]
    lines = max(1, -(-len(shown) // COLUMNS))
    figure = Figure(figsize=(11, 1 + 2.2 * lines), dpi=DPI, layout="constrained")
    figure.suptitle("Evaluated people and photos found in the training data" + ("" if shown else ": none"))
    photos = {photo for leak in shown for photo in (leak.evaluated_photo, leak.trained_photo)}
    faces = read_faces(aligned, photos)
    grid = figure.subplots(lines, COLUMNS, squeeze=False).ravel()
    for axes in grid:
        axes.set_axis_off()
    for axes, leak in zip(grid, shown, strict=False):
        axes.imshow(np.concatenate([faces[leak.evaluated_photo], faces[leak.trained_photo]], axis=1))
        title = f"{leak.evaluated[:22]} | {leak.trained[:22]}\n{_evidence(leak)}"
        axes.set_title(title, fontsize=8, parse_math=False)
    save(figure, path)


def _evidence(leak: Leak) -> str:
    return leak.found_by if leak.cosine is None else f"{leak.found_by}, cosine {leak.cosine:.3f}"
