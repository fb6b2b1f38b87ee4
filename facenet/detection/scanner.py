"""Run P-Net on all pyramid levels of many images and collect the windows that pass the threshold."""

from collections.abc import Callable, Sequence
from typing import NamedTuple, Self

import numpy as np

from facenet.detection.boxes import generate
from facenet.detection.integral import Floats, Indices, IntegralImages
from facenet.detection.pyramid import STRIDE, WINDOW, Canvas, canvases


class Windows(NamedTuple):
    """Boxes (F, 4), scores (F,), offsets (F, 4), pyramid levels and image numbers (F,), ascending."""

    boxes: Floats
    scores: Floats
    offsets: Floats
    levels: Indices
    images: Indices

    @classmethod
    def joined(cls, parts: Sequence["Windows"]) -> Self:
        """Return the windows of all parts, concatenated."""
        none = np.zeros((0, 4), np.float32)
        empty = Windows(none, none[:, 0], none, *(np.zeros(0, np.int64) for _ in range(2)))
        return cls(*(np.concatenate(column) for column in zip(empty, *parts, strict=True)))


class PyramidScanner:
    """Lay out pyramid levels on canvases, run the network and keep windows that reach `threshold`.

    network: maps pixels (H, W, 4), 0 to 255, and the canvas's mask to score and offsets (5, h, w).
    """

    def __init__(
        self,
        network: Callable[[Floats, Floats], Floats],
        *,
        min_face: float,
        factor: float,
        threshold: float,
    ) -> None:
        self.network, self.min_face, self.factor, self.threshold = network, min_face, factor, threshold

    def scan(self, integrals: IntegralImages, reductions: Sequence[int]) -> Windows:
        """Return the windows of all images; `reductions` are the integer factors they were reduced by."""
        sides = zip(integrals.heights.tolist(), integrals.widths.tolist(), reductions, strict=True)
        return Windows.joined(
            [
                self._read(canvas, integrals, image)
                for image, (height, width, reduction) in enumerate(sides)
                for canvas in canvases(height, width, max(WINDOW, self.min_face / reduction), self.factor)
            ]
        )

    def _read(self, canvas: Canvas, integrals: IntegralImages, image: int) -> Windows:
        output = self.network(canvas.draw(integrals, image), canvas.mask())
        rows, columns = np.nonzero(output[0] >= self.threshold)
        tiles = canvas.tile_of(rows, columns)
        order = np.argsort(tiles, kind="stable")  # windows with equal scores stay in order of their levels
        order = order[np.searchsorted(tiles[order], 0) :]
        rows, columns, tiles = rows[order], columns[order], tiles[order]
        row, top, left, levels = np.array([(t.row, t.top, t.left, t.level) for t in canvas.tiles]).T[:, tiles]
        scales = np.array([t.scale for t in canvas.tiles], np.float32)[tiles]
        boxes = generate(rows - top // STRIDE + row, columns - left // STRIDE, scales)
        scores, *offsets = output[:, rows, columns]
        return Windows(boxes, scores, np.stack(offsets, axis=1), levels, np.full(len(rows), image))
