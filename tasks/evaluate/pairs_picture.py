"""Plots of pairs of faces: the worst errors, and examples of correct decisions."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
from matplotlib.figure import Figure, SubFigure

from facenet.evaluation.protocol import Verification
from tasks.evaluate.example_pairs import Rows, correct_examples, worst_errors
from tasks.evaluate.pairs import Pairs
from tasks.evaluate.pictures import DPI, frame, save
from tasks.evaluate.work import find_locations, read_locations

COLUMNS = 3  # of pairs
WIDTH, TITLE, ROW, NAMES = 11, 0.4, 2.3, 0.42  # inches: figure, title of a half, row of pairs, its names
LONGEST_NAME = 24  # characters
ERRORS = (
    ("False accepts", "different people, distance below the threshold"),
    ("False rejects", "same person, distance at or above the threshold"),
)
CORRECT = (
    ("True accepts", "same person, distance below the threshold"),
    ("True rejects", "different people, distance at or above the threshold"),
)

Face = npt.NDArray[np.uint8]
Heading = tuple[str, str]  # what the pairs are, and what that means


@dataclass(frozen=True)
class DecidedPair:
    """A pair to draw: (S, S, 3) faces, their names, its label, its distance and the threshold of its fold."""

    left: Face
    right: Face
    left_name: str
    right_name: str
    same: bool
    distance: float
    threshold: float

    @property
    def decision(self) -> str:
        """The label, the distance and the threshold, such as "same: distance 0.412 < threshold 1.2"."""
        sign = "<" if self.distance < self.threshold else "≥"
        label = "same" if self.same else "different"
        return f"{label}: distance {self.distance:.3f} {sign} threshold {self.threshold:.3f}"


def draw_worst(path: Path, result: Verification, pairs: Pairs, aligned: Path) -> None:
    """Draw the worst false accepts and false rejects; faces are read from the face table."""
    halves = worst_errors(result, pairs.usable["same"].to_numpy(bool))
    draw_halves(path, dict(zip(ERRORS, _decided(halves, result, pairs, aligned), strict=True)))


def draw_correct(path: Path, result: Verification, pairs: Pairs, aligned: Path) -> None:
    """Draw examples of true accepts and true rejects; faces are read from the face table."""
    halves = correct_examples(result, pairs.usable["same"].to_numpy(bool))
    draw_halves(path, dict(zip(CORRECT, _decided(halves, result, pairs, aligned), strict=True)))


def draw_halves(path: Path, halves: Mapping[Heading, Sequence[DecidedPair]]) -> None:
    """Draw pairs with names and decision below their headings; a heading says so if it has none."""
    heights = [TITLE + ROW * _lines(shown) for shown in halves.values()]
    figure = Figure(figsize=(WIDTH, sum(heights)), dpi=DPI)
    parts = figure.subfigures(len(halves), 1, height_ratios=heights, squeeze=False, hspace=0).ravel()
    for part, height, ((kind, meaning), shown) in zip(parts, heights, halves.items(), strict=True):
        title = f"{kind}: {meaning}" if shown else f"{kind}: none"
        part.suptitle(title, fontsize=12, weight="bold", y=1 - 0.12 / height)
        _draw_half(part, shown)
    save(figure, path)


def _draw_half(part: SubFigure, shown: Sequence[DecidedPair]) -> None:
    if not shown:
        return
    lines = _lines(shown)
    margins = frame(WIDTH, TITLE + ROW * lines, left=0.1, right=0.1, bottom=0.1, top=TITLE + NAMES)
    spaces = {"wspace": 0.05, "hspace": 1.2 * NAMES / (ROW - NAMES)}
    grid = part.subplots(lines, COLUMNS, squeeze=False, gridspec_kw={**margins, **spaces}).ravel()
    for axes in grid:
        axes.set_axis_off()
    for axes, pair in zip(grid, shown, strict=False):
        gap = np.full((pair.left.shape[0], 4, 3), 255, np.uint8)
        axes.imshow(np.concatenate([pair.left, gap, pair.right], axis=1))
        names = f"{_short(pair.left_name)} | {_short(pair.right_name)}"
        axes.set_title(f"{names}\n{pair.decision}", fontsize=8.5, parse_math=False)


def _lines(shown: Sequence[DecidedPair]) -> int:
    """Return the height in rows of pairs."""
    return max(1, -(-len(shown) // COLUMNS))


def _short(name: str) -> str:
    """Return "Name_0001" of "Name/Name_0001"; long names are abbreviated in the middle."""
    last = name.rpartition("/")[2]
    return last if len(last) <= LONGEST_NAME else f"{last[:12]}…{last[-11:]}"


def _decided(
    halves: tuple[Rows, Rows], result: Verification, pairs: Pairs, aligned: Path
) -> list[list[DecidedPair]]:
    """Return the usable pairs of these rows with their faces."""
    shown = pairs.usable.iloc[[row for half in halves for row in half]]
    places = find_locations(aligned, {*shown["left"], *shown["right"]})
    faces = dict(zip((p.image_id for p in places), read_locations(aligned, places), strict=True))
    return [[_pair(row, result, pairs, faces) for row in half] for half in halves]


def _pair(row: int, result: Verification, pairs: Pairs, faces: Mapping[str, Face]) -> DecidedPair:
    pair = pairs.usable.iloc[row]
    return DecidedPair(
        left=faces[pair["left"]],
        right=faces[pair["right"]],
        left_name=pair["left_name"],
        right_name=pair["right_name"],
        same=bool(pair["same"]),
        distance=float(result.distances[row]),
        threshold=float(result.thresholds[row]),
    )
