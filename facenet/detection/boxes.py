"""Arithmetic on many boxes at once, as the cascade of MTCNN does it.

Boxes are float32 (F, 4), x0 y0 x1 y1, in the 1-based inclusive pixel coordinates of the original Matlab code:
the crop of a box is pixels[y0 - 1 : y1, x0 - 1 : x1]. `half_open` turns them into the project's own once, at
the very end.
"""

from typing import Literal

import numpy as np
from numpy.typing import NDArray

from facenet.detection.integral import Floats, Indices
from facenet.detection.pyramid import STRIDE, WINDOW

Overlap = Literal["union", "min"]

NMS_BLOCK = 1024  # candidates compared with each other at a time: bounds memory at 10^5 candidates


def generate(rows: Indices, columns: Indices, scale: Floats) -> Floats:
    """Return the boxes (F, 4), in source pixels, of P-Net's windows at row, column and scale (F,).

    x0 = floor((2 column + 1) / scale), x1 = floor((2 column + 12) / scale), likewise y.
    """
    corner = np.stack([columns, rows], axis=1).astype(np.float32) * STRIDE
    return np.floor(np.concatenate([corner + 1, corner + WINDOW], axis=1) / scale[:, None])


def regress(boxes: Floats, offsets: Floats, *, inclusive: bool) -> Floats:
    """Move each edge by its offset (F, 4) times the width or height of the box.

    inclusive: sides count both edge pixels, x1 - x0 + 1 (stages 2 and 3); P-Net's count x1 - x0.
    """
    sides = boxes[:, 2:] - boxes[:, :2] + np.float32(inclusive)
    return boxes + offsets * np.tile(sides, 2)


def square(boxes: Floats) -> Floats:
    """Return squares of the longer side around the same centres; sides are x1 - x0."""
    sides = boxes[:, 2:] - boxes[:, :2]
    side = sides.max(axis=1, keepdims=True)
    corner = boxes[:, :2] + sides * np.float32(0.5) - side * np.float32(0.5)
    return np.concatenate([corner, corner + side], axis=1)


def clip(boxes: Floats, height: int, width: int) -> Indices:
    """Truncate to integers and clip to 1..width, 1..height; a box outside the image gets x1 < x0 or y1 < y0.

    The part outside is cut off and the rest stretched, as in facenet-pytorch (davidsandberg pads with black).
    """
    whole = np.trunc(boxes).astype(np.int64)
    whole[:, :2] = np.maximum(whole[:, :2], 1)
    whole[:, 2:] = np.minimum(whole[:, 2:], (width, height))
    return whole


def half_open(boxes: Floats) -> Floats:
    """Turn 1-based inclusive coordinates into 0-based half-open ones: the first corner moves by one."""
    return boxes - np.array([1, 1, 0, 0], dtype=np.float32)


def overlaps(a: Floats, b: Floats, overlap: Overlap) -> Floats:
    """Return the overlap (A, B) of each box of `a` with each of `b`, 0 to 1; of empty boxes NaN.

    Sides are x1 - x0. union: intersection over union. min: intersection over the smaller area; the original
    code adds 1 to sides there, as half-open coordinates do.
    """
    low = np.maximum(a[:, None, :2], b[None, :, :2])
    high = np.minimum(a[:, None, 2:], b[None, :, 2:])
    sides = np.maximum(high - low, 0)
    shared = sides[..., 0] * sides[..., 1]
    area_a, area_b = (np.prod(x[:, 2:] - x[:, :2], axis=1) for x in (a, b))
    whole = np.minimum(area_a[:, None], area_b) if overlap == "min" else area_a[:, None] + area_b - shared
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio: Floats = shared / whole
    return ratio


def suppress(
    boxes: Floats,
    scores: Floats,
    threshold: float,
    overlap: Overlap,
    *,
    groups: Indices | None = None,
) -> Indices:
    """Return the boxes that greedy non-maximum suppression keeps, as indices from the highest score down.

    From the highest score on, a box is dropped when it overlaps a kept one of its group by more than
    `threshold`. Equal scores keep their order. There is no limit on the number of boxes.
    """
    groups = np.zeros(len(boxes), dtype=np.int64) if groups is None else groups
    order = np.argsort(-scores, kind="stable")
    kept = order[:0]
    for start in range(0, len(order), NMS_BLOCK):
        block = order[start : start + NMS_BLOCK]
        for first in range(0, len(kept), NMS_BLOCK):
            rivals = kept[first : first + NMS_BLOCK]
            block = block[~_beaten(boxes, groups, rivals, block, threshold, overlap).any(axis=0)]
        kept = np.concatenate(
            [kept, block[_greedy(_beaten(boxes, groups, block, block, threshold, overlap))]]
        )
    return kept


def _beaten(
    boxes: Floats,
    groups: Indices,
    rivals: Indices,
    candidates: Indices,
    threshold: float,
    overlap: Overlap,
) -> NDArray[np.bool_]:
    """Return (R, C): rival r would drop candidate c."""
    close = overlaps(boxes[rivals], boxes[candidates], overlap) > threshold
    same: NDArray[np.bool_] = close & (groups[rivals][:, None] == groups[candidates])
    return same


def _greedy(beaten: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Solve keep[c] = no r < c with keep[r] and beaten[r, c], which has one solution: the greedy choice.

    Each round settles at least one more link of every chain of suppressions, and chains are short.
    """
    beaten = np.triu(beaten, 1)
    keep = np.ones(len(beaten), dtype=bool)
    while True:
        settled = np.logical_not(beaten[keep].any(axis=0))
        if (settled == keep).all():
            return keep
        keep = settled
