"""Vectorised box arithmetic of the MTCNN cascade.

Boxes are float32 (F, 4), x0 y0 x1 y1, in the 1-based inclusive pixel coordinates of the original Matlab code:
the crop of a box is pixels[y0 - 1 : y1, x0 - 1 : x1]. `half_open` converts them to this project's convention
once, at the very end.
"""

from collections.abc import Iterator
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from facenet.detection.integral import Floats, Indices
from facenet.detection.pyramid import STRIDE, WINDOW

Overlap = Literal["union", "min"]

PAIRS = 2**20  # box pairs compared per batch: bounds memory for 10^5 candidates


def generate(rows: Indices, columns: Indices, scale: Floats) -> Floats:
    """Return the source-pixel boxes (F, 4) of P-Net windows given by row, column and scale (F,).

    x0 = floor((2 column + 1) / scale), x1 = floor((2 column + 12) / scale), likewise y.
    """
    corner = np.stack([columns, rows], axis=1).astype(np.float32) * STRIDE
    return np.floor(np.concatenate([corner + 1, corner + WINDOW], axis=1) / scale[:, None])


def regress(boxes: Floats, offsets: Floats, *, inclusive: bool) -> Floats:
    """Shift each edge by its offset (F, 4) times the width or height of the box.

    inclusive: sides include both edge pixels, x1 - x0 + 1 (stages 2 and 3); P-Net's are x1 - x0.
    """
    sides = boxes[:, 2:] - boxes[:, :2] + np.float32(inclusive)
    return boxes + offsets * np.tile(sides, 2)


def square(boxes: Floats) -> Floats:
    """Return squares with the longer side around the same centres; side lengths are x1 - x0."""
    sides = boxes[:, 2:] - boxes[:, :2]
    side = sides.max(axis=1, keepdims=True)
    corner = boxes[:, :2] + sides * np.float32(0.5) - side * np.float32(0.5)
    return np.concatenate([corner, corner + side], axis=1)


def clip(boxes: Floats, heights: Indices, widths: Indices) -> Indices:
    """Truncate to integers and clip each box to its image, 1..width and 1..height (F,).

    A box outside the image gets x1 < x0 or y1 < y0. The part outside is dropped and the rest stretched, as in
    facenet-pytorch (davidsandberg pads with black).
    """
    whole = np.trunc(boxes).astype(np.int64)
    whole[:, :2] = np.maximum(whole[:, :2], 1)
    whole[:, 2] = np.minimum(whole[:, 2], widths)
    whole[:, 3] = np.minimum(whole[:, 3], heights)
    return whole


def half_open(boxes: Floats) -> Floats:
    """Convert 1-based inclusive to 0-based half-open coordinates: the first corner moves by one."""
    return boxes - np.array([1, 1, 0, 0], dtype=np.float32)


def overlaps(a: Floats, b: Floats, overlap: Overlap) -> Floats:
    """Return the overlap (F,) of each box in `a` with its counterpart in `b`, 0 to 1; NaN for empty boxes.

    Sides are x1 - x0. union: intersection over union. min: intersection over the smaller area; there the
    original code adds 1 to sides, which half-open coordinates already include.
    """
    sides = np.maximum(np.minimum(a[:, 2:], b[:, 2:]) - np.maximum(a[:, :2], b[:, :2]), 0)
    shared = sides[:, 0] * sides[:, 1]
    area_a, area_b = ((x[:, 2] - x[:, 0]) * (x[:, 3] - x[:, 1]) for x in (a, b))
    whole = np.minimum(area_a, area_b) if overlap == "min" else area_a + area_b - shared
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio: Floats = shared / whole
    return ratio


def suppress(
    boxes: Floats, scores: Floats, threshold: float, overlap: Overlap, *, groups: Indices | None = None
) -> Indices:
    """Return the indices of the boxes that greedy non-maximum suppression keeps, in descending score order.

    Boxes are visited in descending score order; one is dropped if it overlaps a kept box of its group by more
    than `threshold` (at least 0). Equal scores keep their order. groups (F,): group numbers; the result lists
    one group after another. Any number of boxes works.
    """
    groups = np.zeros(len(boxes), np.int64) if groups is None else groups
    order = np.lexsort((-scores, groups))
    boxes, groups = boxes[order], groups[order]
    pairs = [
        pair[:, overlaps(boxes[pair[0]], boxes[pair[1]], overlap) > threshold]
        for pair in _neighbours(boxes, groups)
    ]
    stronger, weaker = np.concatenate([np.zeros((2, 0), np.int64), *pairs], axis=1)
    return order[_greedy(len(order), stronger, weaker)]


def _neighbours(boxes: Floats, groups: Indices) -> Iterator[Indices]:
    """Yield batches of pairs (2, P), lower index first, of boxes of one group whose x ranges intersect.

    With boxes sorted by group and x0, the ones that a box intersects on its right are consecutive.
    """
    span = np.float64(np.ptp(boxes[:, ::2])) + 1 if len(boxes) else 1.0
    line = np.lexsort((boxes[:, 0], groups))
    starts = groups[line] * span + boxes[line, 0].astype(np.float64)
    ends = groups[line] * span + boxes[line, 2].astype(np.float64)
    counts = np.maximum(np.searchsorted(starts, ends) - np.arange(len(line)) - 1, 0)
    batches = np.cumsum(counts) // PAIRS
    for batch in range(int(batches[-1]) + 1 if len(batches) else 0):
        left = np.flatnonzero(batches == batch)
        many = counts[left]
        first = np.repeat(left, many)
        second = first + 1 + np.arange(len(first)) - np.repeat(np.cumsum(many) - many, many)
        yield np.sort([line[first], line[second]], axis=0)


def _greedy(count: int, stronger: Indices, weaker: Indices) -> NDArray[np.bool_]:
    """Solve keep[w] = no pair (s, w) with keep[s]; since s < w, the only solution is the greedy choice.

    Each round settles at least one more link of every chain of suppressions, and chains are short.
    """
    keep = np.ones(count, dtype=bool)
    while True:
        settled = np.ones(count, dtype=bool)
        settled[weaker[keep[stronger]]] = False
        if (settled == keep).all():
            return keep
        keep = settled
