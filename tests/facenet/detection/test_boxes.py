from typing import Any

import numpy as np
import pytest

from facenet.detection import boxes as geometry


def some_boxes(count: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    corner = rng.uniform(0, 60, (count, 2))
    boxes = np.concatenate([corner, corner + rng.uniform(5, 40, (count, 2))], axis=1).astype(np.float32)
    return boxes, rng.integers(0, 50, count).astype(np.float32)  # some scores are equal


def naive_overlap(a: np.ndarray, b: np.ndarray, overlap: str) -> float:
    width, height = min(a[2], b[2]) - max(a[0], b[0]), min(a[3], b[3]) - max(a[1], b[1])
    shared = max(width, 0) * max(height, 0)
    area_a, area_b = ((x[2] - x[0]) * (x[3] - x[1]) for x in (a, b))
    return shared / (area_a + area_b - shared if overlap == "union" else min(area_a, area_b))


def naive_suppress(
    boxes: np.ndarray, scores: np.ndarray, threshold: float, overlap: Any, groups: np.ndarray
) -> list[int]:
    kept: list[int] = []
    for candidate in sorted(range(len(boxes)), key=lambda i: (groups[i], -scores[i], i)):
        rivals = [k for k in kept if groups[k] == groups[candidate]]
        if all(naive_overlap(boxes[k], boxes[candidate], overlap) <= threshold for k in rivals):
            kept.append(candidate)
    return kept


@pytest.mark.parametrize("overlap", ["union", "min"])
@pytest.mark.parametrize("count", [0, 1, 2, 150])
@pytest.mark.parametrize("block", [7, 1024])
def test_suppression_is_greedy(monkeypatch: pytest.MonkeyPatch, overlap: Any, count: int, block: int) -> None:
    monkeypatch.setattr(geometry, "PAIRS", block)
    boxes, scores = some_boxes(count)
    groups = np.arange(count) % 3
    for threshold in (0.3, 0.5, 0.7):
        expected = naive_suppress(boxes, scores, threshold, overlap, groups)
        assert geometry.suppress(boxes, scores, threshold, overlap, groups=groups).tolist() == expected


def test_more_candidates_than_an_int16_can_count() -> None:
    corner = np.arange(40_000, dtype=np.float32)[:, None] * 20
    boxes = np.concatenate([corner, corner, corner + 10, corner + 10], axis=1)
    boxes = np.concatenate([boxes, boxes])  # every box twice
    kept = geometry.suppress(boxes[:60_000], np.zeros(60_000, np.float32), 0.5, "union")
    np.testing.assert_array_equal(kept, np.arange(40_000))


def test_windows_in_source_pixels() -> None:
    scale = np.array([0.5, 0.6], np.float32)
    found = geometry.generate(np.array([0, 3]), np.array([0, 4]), scale)
    # 18 / 0.6 is 29.999998 in float32
    np.testing.assert_array_equal(found, [[2, 2, 24, 24], [14, 11, 33, 29]])


def test_regression_with_and_without_the_edge_pixel() -> None:
    box = np.array([[10, 20, 19, 39]], np.float32)
    offsets = np.array([[0.1, -0.1, 0.2, 0.5]], np.float32)
    np.testing.assert_allclose(geometry.regress(box, offsets, inclusive=True), [[11, 18, 21, 49]], rtol=1e-6)
    np.testing.assert_allclose(
        geometry.regress(box, offsets, inclusive=False), [[10.9, 18.1, 20.8, 48.5]], rtol=1e-6
    )


def test_squares_keep_the_centre() -> None:
    np.testing.assert_array_equal(
        geometry.square(np.array([[10, 20, 14, 40]], np.float32)), [[2, 20, 22, 40]]
    )


def test_clipping_truncates_and_marks_boxes_outside() -> None:
    boxes = np.array([[-3.7, 0.2, 5.9, 200], [300, 5, 340, 9]], np.float32)
    clipped = geometry.clip(boxes, np.array([100, 50]), np.array([80, 90]))
    np.testing.assert_array_equal(clipped[0], [1, 1, 5, 100])
    np.testing.assert_array_equal(clipped[1], [300, 5, 90, 9])
    assert clipped[1, 2] < clipped[1, 0]


def test_half_open_boxes_slice_the_crop() -> None:
    np.testing.assert_array_equal(
        geometry.half_open(np.array([[1, 1, 80, 100]], np.float32)), [[0, 0, 80, 100]]
    )
