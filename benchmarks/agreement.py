"""Agreement between two face detectors."""

from collections.abc import Sequence
from typing import Any

import numpy as np

SAME_FACE, CLOSE_BOX, CLOSE_POINT = 0.5, 0.9, 2.0  # overlaps; pixels


def agreement(ours: Sequence[Any], baseline: Sequence[Any]) -> dict[str, float]:
    """Compare, photo by photo, lists of (box x0 y0 x1 y1, landmarks (5, 2)).

    count: fraction of photos with the same number of faces. Faces are matched greedily by an intersection
    over union (IoU) of at least 0.5. boxes: fraction of matches with an IoU of at least 0.9. landmarks:
    fraction of matches with all five points within 2 pixels. A fraction of nothing is 1.
    """
    same = [len(a) == len(b) for a, b in zip(ours, baseline, strict=True)]
    matches = [match for a, b in zip(ours, baseline, strict=True) for match in _matches(a, b)]
    return {
        "count": _fraction(same),
        "boxes": _fraction([overlap >= CLOSE_BOX for overlap, _ in matches]),
        "landmarks": _fraction([distance <= CLOSE_POINT for _, distance in matches]),
        "matched_faces": len(matches),
    }


def _matches(a: Sequence[Any], b: Sequence[Any]) -> list[tuple[float, float]]:
    """Return IoU and largest landmark distance for each matched pair of faces in one photo."""
    pairs = [(overlap(i[0], j[0]), m, n) for m, i in enumerate(a) for n, j in enumerate(b)]
    used: set[tuple[str, int]] = set()
    found = []
    for value, m, n in sorted(pairs, key=lambda pair: -pair[0]):
        if value >= SAME_FACE and not used & {("a", m), ("b", n)}:
            used |= {("a", m), ("b", n)}
            apart = np.asarray(a[m][1]) - np.asarray(b[n][1])
            found.append((value, float(np.sqrt((apart**2).sum(axis=1)).max())))
    return found


def overlap(a: Sequence[float], b: Sequence[float]) -> float:
    """Return the intersection over union of two boxes x0 y0 x1 y1."""
    width, height = min(a[2], b[2]) - max(a[0], b[0]), min(a[3], b[3]) - max(a[1], b[1])
    shared = max(width, 0.0) * max(height, 0.0)
    return shared / ((a[2] - a[0]) * (a[3] - a[1]) + (b[2] - b[0]) * (b[3] - b[1]) - shared)


def _fraction(verdicts: Sequence[bool]) -> float:
    return sum(verdicts) / len(verdicts) if verdicts else 1.0
