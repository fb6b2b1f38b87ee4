"""Exact means over rectangles of an image, in constant time each (Crow, SIGGRAPH 1984).

Sums are kept as 32-bit integers that wrap around: differences are right as long as one rectangle holds less
than 2^32 / 255 = 16.8 million pixels, whatever the size of the image. A mean therefore depends on its
rectangle alone.
"""

from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray

Pixels = NDArray[np.uint8]
Floats = NDArray[np.float32]
Indices = NDArray[np.int64]


class Cells(NamedTuple):
    """Half-open ranges of pixels along one axis, (..., n) each."""

    first: Indices
    last: Indices


def area_cells(start: Indices | int, length: Indices | int, count: int) -> Cells:
    """Cut `length` pixels from `start` on into `count` ranges, as adaptive average pooling does.

    Range i reaches from floor(i * length / count) to ceil((i + 1) * length / count): ranges overlap by a
    pixel where the division leaves a rest, and when enlarging a pixel is repeated. Arrays (B,) give ranges
    (B, count).
    """
    start, length = np.asarray(start)[..., None], np.asarray(length)[..., None]
    step = np.arange(count)
    return Cells(start + step * length // count, start - (-(step + 1) * length // count))


class IntegralImage:
    """Running sums over an image uint8 (H, W, 3), from which means over rectangles are taken.

    Takes 16 bytes a pixel: the fourth channel is empty, it makes a pixel one aligned item to copy.
    """

    def __init__(self, pixels: Pixels) -> None:
        self.height, self.width = pixels.shape[:2]
        padded = torch.zeros((self.height + 1, self.width + 1, 4), dtype=torch.int32)
        padded.numpy()[1:, 1:, :3] = pixels
        padded = padded.cumsum(0, dtype=torch.int32).cumsum(1, dtype=torch.int32)
        self._sums: NDArray[np.uint32] = padded.numpy().view(np.uint32)

    def grid(self, rows: Cells, columns: Cells) -> Floats:
        """Return the means (h, w, 3), 0 to 255, for row ranges (h,) crossed with column ranges (w,)."""
        strips = _take(self._sums, rows.last, 0) - _take(self._sums, rows.first, 0)
        sums = _take(strips, columns.last, 1) - _take(strips, columns.first, 1)
        return _mean(sums, rows, columns)

    def crops(self, rows: Cells, columns: Cells) -> Floats:
        """Return the means (B, h, w, 3) for B boxes cut into ranges (B, h) and (B, w), 0 to 255."""
        flat = self._sums.reshape(-1, 4)
        pitch = self.width + 1
        top, bottom = (rows.first * pitch)[:, :, None], (rows.last * pitch)[:, :, None]
        left, right = columns.first[:, None, :], columns.last[:, None, :]
        sums = _take(flat, bottom + right, 0) - _take(flat, bottom + left, 0)
        sums -= _take(flat, top + right, 0)
        sums += _take(flat, top + left, 0)
        return _mean(sums, rows, columns)


def _take(values: NDArray[np.uint32], indices: Indices, axis: int) -> NDArray[np.uint32]:
    return np.take(values, indices, axis=axis, mode="clip")  # "raise" would copy through a buffer


def _mean(sums: NDArray[np.uint32], rows: Cells, columns: Cells) -> Floats:
    heights, widths = rows.last - rows.first, columns.last - columns.first
    area = (heights[..., :, None] * widths[..., None, :]).astype(np.float32)
    return sums[..., :3].astype(np.float32) / area[..., None]
