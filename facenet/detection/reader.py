"""Show the crops of many images to R-Net or O-Net, such that each result depends on its own crop alone.

Crops of all images are gathered first, so that few places of the chunks that a network sees stay empty.
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from facenet.detection.boxes import clip
from facenet.detection.integral import Floats, Indices, IntegralImages, area_cells

SLAB_PIXELS = 2**15  # of crops held at a time: their sums stay in the second-level cache


class Candidates(NamedTuple):
    """Boxes (F, 4) and the number of the image that each lies in (F,), in ascending order."""

    boxes: Floats
    images: Indices

    def take(self, indices: Indices) -> "Candidates":
        """Return some of them."""
        return Candidates(self.boxes[indices], self.images[indices])


class Reading(NamedTuple):
    """What a network says of crops: scores (F,), offsets (F, 4), landmarks (F, 10), or (F, 0) of R-Net."""

    scores: Floats
    offsets: Floats
    landmarks: Floats


class CropReader:
    """Crop boxes, resize them to `side` x `side` pixels by area means and show them to `network`.

    network: takes crops (n, side, side, 4), 0 to 255, and returns n rows: score, offsets, landmarks if any.
    size: of the chunks that it sees; slabs of crops are whole chunks until the last.
    columns: of the rows, 5 or 15.
    """

    def __init__(self, network: Callable[[Floats], Floats], *, side: int, size: int, columns: int) -> None:
        self.network, self.side, self.columns = network, side, columns
        self._slab = max(1, SLAB_PIXELS // side**2 // size) * size

    def read(self, integrals: IntegralImages, candidates: Candidates) -> tuple[Candidates, Reading]:
        """Return those of the candidates that meet their image, and the network's reading of them."""
        heights, widths = (sides[candidates.images] for sides in (integrals.heights, integrals.widths))
        clipped = clip(candidates.boxes, heights, widths)
        meets = np.flatnonzero((clipped[:, 2:] >= clipped[:, :2]).all(axis=1))
        rows = self._read(integrals, clipped[meets], candidates.images[meets])
        return candidates.take(meets), Reading(rows[:, 0], rows[:, 1:5], rows[:, 5:])

    def _read(self, integrals: IntegralImages, clipped: Indices, images: Indices) -> Floats:
        rows = np.empty((len(clipped), self.columns), np.float32)
        for start in range(0, len(clipped), self._slab):
            slab = slice(start, start + self._slab)
            x0, y0, x1, y1 = clipped[slab].T
            down, across = (area_cells(a - 1, b - a + 1, self.side) for a, b in ((y0, y1), (x0, x1)))
            rows[slab] = self.network(integrals.crops(images[slab], down, across))
        return rows
