"""The image at ever smaller sizes, so that P-Net's window of 12 pixels meets faces of every size.

Levels are laid out beside each other on canvases: P-Net then runs once over a photo and not once per level,
which saves a third of its time. Large levels are cut into overlapping strips, which bounds memory.
"""

from collections.abc import Iterator
from functools import lru_cache
from typing import NamedTuple

import numpy as np

from facenet.detection.integral import CHANNELS, Cells, Floats, Indices, IntegralImages, area_cells

WINDOW = 12  # pixels, side of P-Net's field
STRIDE = 2  # pixels between neighbouring windows
OVERLAP = WINDOW - STRIDE  # pixels that neighbouring strips share
CANVAS_PIXELS = 2**16  # at most, unless a single row of windows takes more
GRID = 8  # pixels, of which the sides of a canvas are multiples


class Tile(NamedTuple):
    """A level, or a strip of it from window `row` on, and where it lies on its canvas, in pixels.

    rows, columns: ranges of the image's pixels whose means are the tile's.
    """

    level: int
    scale: float
    row: int
    rows: Cells
    columns: Cells
    top: int = 0
    left: int = 0

    @property
    def height(self) -> int:
        """Pixels."""
        return len(self.rows.first)

    @property
    def width(self) -> int:
        """Pixels."""
        return len(self.columns.first)

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

    def tile_of(self, rows: Indices, columns: Indices) -> Indices:
        """Return the number of the tile that each window of P-Net's output (F,) belongs to, or -1."""
        edges = [
            (down.start, down.stop, across.start, across.stop)
            for down, across in (t.windows for t in self.tiles)
        ]
        top, bottom, left, right = np.array(edges).T
        rows, columns = rows[:, None], columns[:, None]
        within = (top <= rows) & (rows < bottom) & (left <= columns) & (columns < right)
        return np.where(within.any(axis=1), within.argmax(axis=1), -1)

    def mask(self) -> Floats:
        """Return what is added to P-Net's first layer before the pool: (height - 2, width - 2) of 0 or -inf.

        That layer is two pixels smaller than a tile. When its length is odd, the last window of the pool,
        rounded up, would take in one line of the neighbour: the line just beyond the tile is shut out.
        """
        mask = np.zeros((self.height - 2, self.width - 2), np.float32)
        for tile in self.tiles:
            bottom, right = tile.top + tile.height - 2, tile.left + tile.width - 2
            if tile.height % 2:
                mask[bottom : bottom + 1, tile.left : right] = -np.inf
            if tile.width % 2:
                mask[tile.top : bottom + 1, right : right + 1] = -np.inf
        return mask

    def draw(self, integrals: IntegralImages, number: int) -> Floats:
        """Return float32 (height, width, 4), 0 to 255, of image `number`: area means, zero between the tiles.

        facenet-pytorch has means in floating point, too; davidsandberg's cv2 INTER_AREA rounds to 8 bits.
        """
        pixels = np.zeros((self.height, self.width * CHANNELS), np.float32)
        for tile in self.tiles:
            rows = slice(tile.top, tile.top + tile.height)
            columns = slice(tile.left * CHANNELS, (tile.left + tile.width) * CHANNELS)
            integrals.grid(number, tile.rows, tile.columns, out=pixels[rows, columns])
        return pixels.reshape(self.height, self.width, CHANNELS)


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
    packed: list[_Sheet] = []
    for tile in _tiles(height, width, scales(height, width, min_face, factor)):
        if not packed or not packed[-1].place(tile):
            packed.append(_Sheet(tile))
    return [sheet.canvas() for sheet in packed]


def _windows(length: int) -> int:
    """Return the number of windows along `length` pixels: the last one may hang over the edge by a pixel."""
    return -(-(length - OVERLAP) // STRIDE)


def _tiles(height: int, width: int, found: list[float]) -> Iterator[Tile]:
    """Yield all strips, not yet placed. Levels are floor(x * scale + 1) pixels; davidsandberg rounds up."""
    for level, scale in enumerate(found):
        rows, columns = (area_cells(0, side, int(side * scale + 1)) for side in (height, width))
        step = max(1, (CANVAS_PIXELS // len(columns.first) - OVERLAP) // STRIDE)
        for row in range(0, _windows(len(rows.first)), step):
            strip = slice(row * STRIDE, (row + step) * STRIDE + OVERLAP)
            yield Tile(level, scale, row, rows.part(strip), columns)


class _Sheet:
    """Pack tiles by guillotine cuts: each goes into the first free rectangle with room, or below all others.

    A sheet is as wide as its first tile. Sides are multiples of GRID, so that photos of nearly one size share
    a shape: a runtime prepares itself for each.
    """

    def __init__(self, first: Tile) -> None:
        self.width, self.height = _up(first.width, GRID), 0
        self._free: list[tuple[int, int, int, int]] = []  # top, left, height, width
        self._tiles: list[Tile] = []
        self._extend(first)

    def place(self, tile: Tile) -> bool:
        """Take a tile if there is room, or if the canvas may grow for it, and say so."""
        height, width = _up(tile.height, STRIDE), _up(tile.width, STRIDE)
        for free in self._free:
            if height <= free[2] and width <= free[3]:
                self._free.remove(free)
                self._put(tile, *free)
                return True
        if width > self.width or _up(self.height + height, GRID) * self.width > CANVAS_PIXELS:
            return False
        self._extend(tile)
        return True

    def canvas(self) -> Canvas:
        """Return what was placed."""
        return Canvas(_up(self.height, GRID), self.width, tuple(self._tiles))

    def _extend(self, tile: Tile) -> None:
        height = _up(tile.height, STRIDE)
        self._put(tile, self.height, 0, height, self.width)
        self.height += height

    def _put(self, tile: Tile, top: int, left: int, height: int, width: int) -> None:
        """Put a tile into the corner of a free rectangle and cut the rest in two: beside it and below it."""
        self._tiles.append(tile._replace(top=top, left=left))
        down, across = _up(tile.height, STRIDE), _up(tile.width, STRIDE)
        self._free += [
            (top, left + across, height, width - across),
            (top + down, left, height - down, across),
        ]


def _up(length: int, step: int) -> int:
    return -(-length // step) * step
