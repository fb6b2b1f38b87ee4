"""The image at decreasing sizes, so that P-Net's 12-pixel window matches faces of any size.

Levels are placed side by side on canvases: P-Net then runs once per photo instead of once per level, which
saves a third of its time. Large levels are cut into overlapping strips, which bounds memory.
"""

from collections.abc import Iterator
from functools import lru_cache
from typing import NamedTuple

import numpy as np

from facenet.detection.integral import CHANNELS, Cells, Floats, Indices, IntegralImages, area_cells

WINDOW = 12  # pixels, side of P-Net's receptive field
STRIDE = 2  # pixels between neighbouring windows
OVERLAP = WINDOW - STRIDE  # pixels shared by neighbouring strips
CANVAS_PIXELS = 2**16  # at most, unless a single row of windows needs more
GRID = 8  # pixels; the sides of a canvas are multiples of it


class Tile(NamedTuple):
    """A level, or a strip of it starting at window `row`, and its position on its canvas in pixels.

    rows, columns: ranges of image pixels; their means are the tile's pixels.
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
        """The tile's rows and columns in P-Net's output for the canvas."""
        top, left = self.top // STRIDE, self.left // STRIDE
        return slice(top, top + _windows(self.height)), slice(left, left + _windows(self.width))


class Canvas(NamedTuple):
    """Tiles side by side, at even positions; height and width in pixels."""

    height: int
    width: int
    tiles: tuple[Tile, ...]

    def tile_of(self, rows: Indices, columns: Indices) -> Indices:
        """Return the tile number (F,) of each window in P-Net's output, or -1 for windows between tiles."""
        edges = [
            (down.start, down.stop, across.start, across.stop)
            for down, across in (t.windows for t in self.tiles)
        ]
        top, bottom, left, right = np.array(edges).T
        rows, columns = rows[:, None], columns[:, None]
        within = (top <= rows) & (rows < bottom) & (left <= columns) & (columns < right)
        return np.where(within.any(axis=1), within.argmax(axis=1), -1)

    def mask(self) -> Floats:
        """Return the mask added to P-Net's first layer before pooling: (height - 2, width - 2) of 0 or -inf.

        That layer is two pixels smaller than a tile. If its side is odd, the last pooling window would reach
        one line into the neighbouring tile, so the line just past the tile is masked.
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
        """Return image `number` as float32 (height, width, 4), 0 to 255: area means, zero between the tiles.

        facenet-pytorch also uses floating-point means; davidsandberg's cv2 INTER_AREA rounds to 8 bits.
        """
        pixels = np.zeros((self.height, self.width * CHANNELS), np.float32)
        for tile in self.tiles:
            rows = slice(tile.top, tile.top + tile.height)
            columns = slice(tile.left * CHANNELS, (tile.left + tile.width) * CHANNELS)
            integrals.grid(number, tile.rows, tile.columns, out=pixels[rows, columns])
        return pixels.reshape(self.height, self.width, CHANNELS)


def scales(height: int, width: int, min_face: float, factor: float) -> list[float]:
    """Return the scales, largest first, at which faces of at least `min_face` pixels fill the window.

    At the smallest, the shorter side still has 12 pixels; an image smaller than `min_face` has no scales.
    """
    scale, found = WINDOW / min_face, []
    side = min(height, width) * scale
    while side >= WINDOW:
        found.append(scale)
        scale, side = scale * factor, side * factor
    return found


@lru_cache(maxsize=64)
def canvases(height: int, width: int, min_face: float, factor: float) -> list[Canvas]:
    """Lay out the pyramid of a `height` x `width` pixel image, largest level first."""
    packed: list[_Sheet] = []
    for tile in _tiles(height, width, scales(height, width, min_face, factor)):
        if not packed or not packed[-1].place(tile):
            packed.append(_Sheet(tile))
    return [sheet.canvas() for sheet in packed]


def _windows(length: int) -> int:
    """Return the number of windows along `length` pixels; the last may extend past the edge by a pixel."""
    return -(-(length - OVERLAP) // STRIDE)


def _tiles(height: int, width: int, found: list[float]) -> Iterator[Tile]:
    """Yield all strips, unplaced. Level sides are floor(x * scale + 1) pixels; davidsandberg rounds up."""
    for level, scale in enumerate(found):
        rows, columns = (area_cells(0, side, int(side * scale + 1)) for side in (height, width))
        step = max(1, (CANVAS_PIXELS // len(columns.first) - OVERLAP) // STRIDE)
        for row in range(0, _windows(len(rows.first)), step):
            strip = slice(row * STRIDE, (row + step) * STRIDE + OVERLAP)
            yield Tile(level, scale, row, rows.part(strip), columns)


class _Sheet:
    """Pack tiles by guillotine cuts: each goes into the first free rectangle that fits, or below all others.

    A sheet is as wide as its first tile. Sides are multiples of GRID, so that photos of similar size share a
    canvas shape: a runtime compiles the network for each shape.
    """

    def __init__(self, first: Tile) -> None:
        self.width, self.height = _up(first.width, GRID), 0
        self._free: list[tuple[int, int, int, int]] = []  # top, left, height, width
        self._tiles: list[Tile] = []
        self._extend(first)

    def place(self, tile: Tile) -> bool:
        """Place a tile if it fits or the canvas may grow for it; return whether it was placed."""
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
        """Return the canvas with the tiles placed so far."""
        return Canvas(_up(self.height, GRID), self.width, tuple(self._tiles))

    def _extend(self, tile: Tile) -> None:
        height = _up(tile.height, STRIDE)
        self._put(tile, self.height, 0, height, self.width)
        self.height += height

    def _put(self, tile: Tile, top: int, left: int, height: int, width: int) -> None:
        """Place a tile in the corner of a free rectangle; the rest becomes two, right of it and below it."""
        self._tiles.append(tile._replace(top=top, left=left))
        down, across = _up(tile.height, STRIDE), _up(tile.width, STRIDE)
        self._free += [
            (top, left + across, height, width - across),
            (top + down, left, height - down, across),
        ]


def _up(length: int, step: int) -> int:
    return -(-length // step) * step
