"""Layout and writing of the stage's plots."""

from pathlib import Path

from matplotlib.figure import Figure

from facenet.atomic import atomic_path

DPI = 100
COMPRESSION = {"compress_level": 3}  # half the time of the default 6, for a tenth more bytes


def frame(width: float, height: float, **inches: float) -> dict[str, float]:
    """Return the position of the panels in a figure of `width` by `height` inches, as fractions of it.

    Matplotlib's constrained layout would compute the margins, but takes half a second per figure.

    inches: the margins left, right, top and bottom.
    """
    return {
        "left": inches["left"] / width,
        "right": 1 - inches["right"] / width,
        "bottom": inches["bottom"] / height,
        "top": 1 - inches["top"] / height,
    }


def save(figure: Figure, path: Path) -> None:
    """Write a figure as a PNG whose bytes depend only on its content."""
    with atomic_path(path) as temporary:
        figure.savefig(temporary, format="png", metadata={"Software": None}, pil_kwargs=COMPRESSION)
