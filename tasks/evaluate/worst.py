"""A plot of the pairs with the largest errors."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
from matplotlib.figure import Figure, SubFigure

from facenet.evaluation.protocol import Verification
from tasks.evaluate.pairs import Pairs
from tasks.evaluate.pictures import DPI, frame, save
from tasks.evaluate.work import find_locations, read_locations

WORST = 6  # errors per kind
COLUMNS = 3  # of pairs
WIDTH, TITLE, ROW, NAMES = 11, 0.4, 2.3, 0.45  # inches: figure, title of a half, row of pairs, its names
LONGEST_NAME = 24  # characters


@dataclass(frozen=True)
class PairError:
    """A wrongly decided pair: (S, S, 3) uint8 faces, their names, distance and threshold of its fold."""

    left: npt.NDArray[np.uint8]
    right: npt.NDArray[np.uint8]
    left_name: str
    right_name: str
    distance: float
    threshold: float


def draw_worst(path: Path, result: Verification, pairs: Pairs, aligned: Path) -> None:
    """Draw the worst false accepts and false rejects of an evaluation; faces are read from the face table."""
    accepts, rejects = worst_errors(result, pairs.usable["same"].to_numpy(bool))
    shown = pairs.usable.iloc[[*accepts, *rejects]]
    places = find_locations(aligned, {*shown["left"], *shown["right"]})
    faces = dict(zip((p.image_id for p in places), read_locations(aligned, places), strict=True))
    draw_errors(
        path,
        false_accepts=[_error(row, result, pairs, faces) for row in accepts],
        false_rejects=[_error(row, result, pairs, faces) for row in rejects],
    )


def worst_errors(result: Verification, same: npt.NDArray[np.bool_]) -> tuple[list[int], list[int]]:
    """Return the rows of the six worst false accepts and of the six worst false rejects."""
    excess = result.distances - result.thresholds
    order = np.argsort(excess, kind="stable")  # NaN of fold -1 is sorted last; it is neither < 0 nor >= 0
    accepts = [int(row) for row in order if not same[row] and excess[row] < 0]
    rejects = [int(row) for row in order[::-1] if same[row] and excess[row] >= 0]
    return accepts[:WORST], rejects[:WORST]


def draw_errors(
    path: Path, *, false_accepts: Sequence[PairError], false_rejects: Sequence[PairError]
) -> None:
    """Draw pairs with names and distance, the worst first; the titles say so if there are none."""
    halves = (
        ("False accepts", "<", false_accepts),
        ("False rejects", "≥", false_rejects),
    )
    heights = [TITLE + ROW * max(1, _rows(errors)) for _, _, errors in halves]
    figure = Figure(figsize=(WIDTH, sum(heights)), dpi=DPI)
    parts = figure.subfigures(2, 1, height_ratios=heights, squeeze=False, hspace=0).ravel()
    for part, (title, sign, errors) in zip(parts, halves, strict=True):
        part.suptitle(title if errors else f"{title}: none", fontsize=12, y=0.98)
        _draw_half(part, sign, errors)
    save(figure, path)


def _draw_half(part: SubFigure, sign: str, errors: Sequence[PairError]) -> None:
    if not errors:
        return
    rows = _rows(errors)
    margins = frame(WIDTH, TITLE + ROW * rows, left=0.1, right=0.1, bottom=0.1, top=TITLE + NAMES)
    spaces = {"wspace": 0.05, "hspace": 1.2 * NAMES / (ROW - NAMES)}
    grid = part.subplots(rows, COLUMNS, squeeze=False, gridspec_kw={**margins, **spaces}).ravel()
    for axes in grid:
        axes.set_axis_off()
    for axes, error in zip(grid, errors, strict=False):
        gap = np.full((error.left.shape[0], 4, 3), 255, np.uint8)
        axes.imshow(np.concatenate([error.left, gap, error.right], axis=1))
        names = f"{_short(error.left_name)} | {_short(error.right_name)}"
        decision = f"{error.distance:.3f} {sign} {error.threshold:.3f}"
        axes.set_title(f"{names}\n{decision}", fontsize=8, parse_math=False)


def _rows(errors: Sequence[PairError]) -> int:
    return -(-len(errors) // COLUMNS)


def _short(name: str) -> str:
    """Return "Name_0001" of "Name/Name_0001"; long names are abbreviated in the middle."""
    last = name.rpartition("/")[2]
    return last if len(last) <= LONGEST_NAME else f"{last[:12]}…{last[-11:]}"


def _error(
    row: int, result: Verification, pairs: Pairs, faces: dict[str, npt.NDArray[np.uint8]]
) -> PairError:
    pair = pairs.usable.iloc[row]
    return PairError(
        left=faces[pair["left"]],
        right=faces[pair["right"]],
        left_name=pair["left_name"],
        right_name=pair["right_name"],
        distance=float(result.distances[row]),
        threshold=float(result.thresholds[row]),
    )
