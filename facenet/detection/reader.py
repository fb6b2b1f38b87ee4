"""Run R-Net or O-Net on crops of many images, such that each result depends on its own crop alone.

Crops of all images are gathered first, so that few slots of the network's fixed-size chunks stay empty.
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from facenet.detection.boxes import clip
from facenet.detection.integral import Floats, Indices, IntegralImages, area_cells

SLAB_PIXELS = 2**15  # of crops in memory at once: their sums fit in the second-level cache


class Candidates(NamedTuple):
    """Boxes (F, 4) and their image numbers (F,), in ascending order."""

    boxes: Floats
    images: Indices

    def take(self, indices: Indices) -> "Candidates":
        """Return the candidates at `indices`."""
        return Candidates(self.boxes[indices], self.images[indices])


class Reading(NamedTuple):
    """A network's output for crops: scores (F,), offsets (F, 4), landmarks (F, 10), or (F, 0) for R-Net."""

    scores: Floats
    offsets: Floats
    landmarks: Floats


class CropReader:
    """Crop boxes, resize them to `side` x `side` pixels by area means and run `network` on them.

    network: maps crops (n, side, side, 4), 0 to 255, to n rows of score, offsets and, for O-Net, landmarks.
    size: crops per chunk of the network; every slab but the last is a multiple of it.
    columns: of each row, 5 or 15.
    """

    def __init__(self, network: Callable[[Floats], Floats], *, side: int, size: int, columns: int) -> None:
        self.network, self.side, self.columns = network, side, columns
        self._slab = max(1, SLAB_PIXELS // side**2 // size) * size

    def read(self, integrals: IntegralImages, candidates: Candidates) -> tuple[Candidates, Reading]:
        """Return the candidates that intersect their image, and the network's output for them."""
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
