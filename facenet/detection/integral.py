"""Exact means over image rectangles, each in constant time (Crow, SIGGRAPH 1984).

Sums are 32-bit integers that wrap around: differences are exact as long as one rectangle holds fewer than
2^31 / 255 = 8.4 million pixels, whatever the size of the image. A mean therefore depends on its rectangle
alone.

A pixel is four numbers: red, green, blue and one unused. That makes it one aligned item to copy and lets
arithmetic run along whole rows. The networks give the fourth channel no weight.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray

Pixels = NDArray[np.uint8]
Floats = NDArray[np.float32]
Indices = NDArray[np.int64]
Sums = NDArray[np.int32]

CHANNELS = 4  # per pixel


class Cells(NamedTuple):
    """Half-open pixel ranges along one axis, (..., n) each; share: 1 / length, float32."""

    first: Indices
    last: Indices
    share: Floats

    def part(self, which: slice) -> "Cells":
        """Return a slice of the ranges (n,)."""
        return Cells(self.first[which], self.last[which], self.share[which])


def area_cells(start: Indices | int, length: Indices | int, count: int) -> Cells:
    """Divide `length` pixels starting at `start` into `count` ranges, as adaptive average pooling does.

    Range i spans floor(i * length / count) to ceil((i + 1) * length / count): ranges overlap by a pixel where
    the division leaves a remainder, and enlarging repeats pixels. Arrays (B,) give ranges (B, count).
    """
    start, length = np.asarray(start)[..., None], np.asarray(length)[..., None]
    edges = np.arange(count + 1) * length
    first, last = start + edges[..., :-1] // count, start - (-edges[..., 1:] // count)
    return Cells(first, last, np.reciprocal((last - first).astype(np.float32)))


class IntegralImages:
    """Running sums over images uint8 (H, W, 3), from which means over rectangles are computed.

    Uses 16 bytes per pixel. The sums of all images are stored contiguously, so that rectangles of many images
    are looked up in one call. heights, widths: (I,) pixels.
    """

    def __init__(self, images: Sequence[Pixels]) -> None:
        shapes = np.array([image.shape[:2] for image in images], np.int64).reshape(-1, 2)
        self.heights, self.widths = shapes.T
        self._pitches = self.widths + 1
        ends = np.cumsum((self.heights + 1) * self._pitches)
        self._starts = ends - (self.heights + 1) * self._pitches
        self._sums: Sums = np.empty((int(ends[-1]) if len(ends) else 0, CHANNELS), np.int32)
        with _one_thread():
            for number, image in enumerate(images):
                _sum_up(image, self._of(number))

    def _of(self, number: int) -> Sums:
        """Return the sums (H + 1, W + 1, 4) of an image; row 0 and column 0 are zero."""
        height, pitch, start = self.heights[number] + 1, self._pitches[number], self._starts[number]
        return self._sums[start : start + height * pitch].reshape(height, pitch, CHANNELS)

    def grid(self, number: int, rows: Cells, columns: Cells, out: Floats) -> None:
        """Write an image's means, 0 to 255, over row and column ranges (h,), (w,) to `out` (h, 4w)."""
        sums = self._of(number)
        strips = _take(sums, rows.last, 0)
        strips -= _take(sums, rows.first, 0)
        found = _take(strips, columns.last, 1)
        found -= _take(strips, columns.first, 1)
        means = found.astype(np.float32).reshape(out.shape)
        np.multiply(means, np.repeat(columns.share, CHANNELS), out=out)
        out *= rows.share[:, None]

    def crops(self, numbers: Indices, rows: Cells, columns: Cells) -> Floats:
        """Return means (B, h, w, 4), 0 to 255, of boxes in images (B,) cut into (B, h) by (B, w) cells."""
        start, pitch = self._starts[numbers, None], self._pitches[numbers, None]
        bottom, top = ((start + edge * pitch)[:, :, None] for edge in (rows.last, rows.first))
        left, right = columns.first[:, None, :], columns.last[:, None, :]
        sums = _take(self._sums, bottom + right, 0)
        sums -= _take(self._sums, bottom + left, 0)
        sums -= _take(self._sums, top + right, 0)
        sums += _take(self._sums, top + left, 0)
        return _means(sums, rows, columns)


@contextmanager
def _one_thread() -> Iterator[None]:
    """Keep torch from waking its other threads, which would then spin for a while, waiting for work."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def _sum_up(image: Pixels, sums: Sums) -> None:
    """Write the running sums of (H, W, 3) to (H + 1, W + 1, 4)."""
    height, width = image.shape[:2]
    flat = np.append(image, np.uint8(0))  # each pixel is read as four bytes, the last one past the end
    pixels = np.ndarray((height, width), np.uint32, flat, strides=(3 * width, 3)).copy()
    sums[0] = sums[:, 0] = 0
    inner = torch.from_numpy(sums[1:])
    along = torch.from_numpy(pixels.view(np.uint8).reshape(height, width, CHANNELS))
    torch.cumsum(along, 1, dtype=torch.int32, out=inner[:, 1:])
    torch.cumsum(inner, 0, out=inner)


def _take(values: Sums, indices: Indices, axis: int) -> Sums:
    return np.take(values, indices, axis=axis, mode="clip")  # "raise" would copy through a buffer


def _means(sums: Sums, rows: Cells, columns: Cells) -> Floats:
    """Divide sums (B, h, w, 4) by the areas along rows of 4w numbers; inner loops of four would be slow."""
    means = sums.astype(np.float32).reshape(*sums.shape[:2], -1)
    means *= np.repeat(columns.share, CHANNELS, axis=1)[:, None]
    means *= rows.share[..., None]
    return means.reshape(sums.shape)
