"""The image at ever smaller sizes, so that P-Net's window of 12 pixels meets faces of every size.

Levels are laid out beside each other on canvases: P-Net then runs once over a photo and not once per level,
which saves a third of its time. Large levels are cut into overlapping strips, which bounds memory.
"""

from collections.abc import Iterator
from functools import lru_cache
from typing import NamedTuple

import numpy as np

from facenet.detection.integral import Cells, Floats, IntegralImage, area_cells

WINDOW = 12  # pixels, side of P-Net's field
STRIDE = 2  # pixels between neighbouring windows
OVERLAP = WINDOW - STRIDE  # pixels that neighbouring strips share
CANVAS_PIXELS = 2**16  # at most, unless a single row of windows takes more


class Tile(NamedTuple):
    """A level, or a strip of it, and where it lies on its canvas; `row` counts windows, all else pixels."""

    level: int
    scale: float
    level_height: int
    row: int
    height: int
    width: int
    top: int
    left: int

    @property
    def windows(self) -> tuple[slice, slice]:
        """Rows and columns that belong to the tile in P-Net's output for the canvas."""
        top, left = self.top // STRIDE, self.left // STRIDE
        return slice(top, top + _windows(self.height)), slice(left, left + _windows(self.width))


class Canvas(NamedTuple):
    """Tiles side by side, at even places; height and width in pixels."""

    height: int
    width: int
    tiles: tuple[Tile, ...]

    @property
    def seams(self) -> list[tuple[slice, slice]]:
        """What P-Net's first pool must leave out: lines just beyond a tile in the first layer's output.

        That layer is two pixels smaller than a tile. When its length is odd, the last window of
        the pool, rounded up, would take in one line of the neighbour.
        """
        lines = []
        for tile in self.tiles:
            bottom, right = tile.top + tile.height - 2, tile.left + tile.width - 2
            if tile.height % 2:
                lines.append((slice(bottom, bottom + 1), slice(tile.left, right)))
            if tile.width % 2:
                lines.append((slice(tile.top, bottom + 1), slice(right, right + 1)))
        return lines

    def draw(self, integral: IntegralImage) -> Floats:
        """Return float32 (height, width, 3), 0 to 255: area means in floating point, zero between the tiles.

        facenet-pytorch does so; davidsandberg's cv2 INTER_AREA rounds to 8 bits.
        """
        pixels = np.zeros((self.height, self.width, 3), np.float32)
        for tile in self.tiles:
            rows = area_cells(0, integral.height, tile.level_height)
            part = slice(tile.row * STRIDE, tile.row * STRIDE + tile.height)
            columns = area_cells(0, integral.width, tile.width)
            place = pixels[tile.top : tile.top + tile.height, tile.left : tile.left + tile.width]
            place[:] = integral.grid(Cells(rows.first[part], rows.last[part]), columns)
        return pixels


def scales(height: int, width: int, min_face: float, factor: float) -> list[float]:
    """Return the scales, largest first, at which faces from `min_face` pixels on fill the window.

    At the last, the shorter side still has 12 pixels; an image below `min_face` pixels has none.
    """
    scale, found = WINDOW / min_face, []
    side = min(height, width) * scale
    while side >= WINDOW:
        found.append(scale)
        scale, side = scale * factor, side * factor
    return found


@lru_cache(maxsize=64)
def canvases(height: int, width: int, min_face: float, factor: float) -> list[Canvas]:
    """Lay out the pyramid of an image of `height` x `width` pixels, largest level first."""
    packed: list[_Shelves] = []
    for tile in _tiles(height, width, scales(height, width, min_face, factor)):
        if not packed or not packed[-1].place(tile):
            packed.append(_Shelves(tile))
    return [shelves.canvas() for shelves in packed]


def _windows(length: int) -> int:
    """Return the number of windows along `length` pixels: the last one may hang over the edge by a pixel."""
    return -(-(length - OVERLAP) // STRIDE)


def _tiles(height: int, width: int, found: list[float]) -> Iterator[Tile]:
    """Yield all strips, not yet placed. Levels are floor(x * scale + 1) pixels; davidsandberg rounds up."""
    for level, scale in enumerate(found):
        rows, columns = int(height * scale + 1), int(width * scale + 1)
        step = max(1, (CANVAS_PIXELS // columns - OVERLAP) // STRIDE)
        for row in range(0, _windows(rows), step):
            length = min(step * STRIDE + OVERLAP, rows - row * STRIDE)
            yield Tile(level, scale, rows, row, length, columns, 0, 0)


class _Shelves:
    """Pack tiles into rows as wide as the first tile; each tile goes to the first shelf with room."""

    def __init__(self, first: Tile) -> None:
        self.width, self.height = _even(first.width), _even(first.height)
        self._shelves = [[0, self.height, self.width]]  # top, height, used width
        self._tiles = [first]

    def place(self, tile: Tile) -> bool:
        width, height = _even(tile.width), _even(tile.height)
        for shelf in self._shelves:
            if height <= shelf[1] and shelf[2] + width <= self.width:
                self._tiles.append(tile._replace(top=shelf[0], left=shelf[2]))
                shelf[2] += width
                return True
        if width > self.width or (self.height + height) * self.width > CANVAS_PIXELS:
            return False
        self._tiles.append(tile._replace(top=self.height))
        self._shelves.append([self.height, height, width])
        self.height += height
        return True

    def canvas(self) -> Canvas:
        return Canvas(self.height, self.width, tuple(self._tiles))


def _even(length: int) -> int:
    return length + length % 2
