from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from facenet.detection.boxes import clip
from facenet.detection.integral import Floats, IntegralImages, area_cells
from facenet.detection.reader import Candidates, CropReader


def images(count: int) -> IntegralImages:
    rng = np.random.default_rng(0)
    return IntegralImages([rng.integers(0, 256, (90, 120, 3), dtype=np.uint8) for _ in range(count)])


def boxes(count: int, seed: int) -> np.ndarray:
    rng = np.random.default_rng(seed)
    corner = rng.uniform(-10, 70, (count, 2))
    return np.concatenate([corner, corner + rng.uniform(12, 60, (count, 1))], axis=1).astype(np.float32)


def reader(network: Callable[[Floats], Floats], size: int = 16) -> CropReader:
    return CropReader(network, side=24, size=size, columns=15)


def first_pixels(crops: Floats) -> Floats:
    """Return the first five pixels of each crop."""
    return crops[:, 0, :5, :3].reshape(len(crops), 15)


@pytest.mark.parametrize("slab", [1, 2**15])
def test_every_box_is_read_from_its_own_image(monkeypatch: pytest.MonkeyPatch, slab: int) -> None:
    monkeypatch.setattr("facenet.detection.reader.SLAB_PIXELS", slab)
    integrals, number = images(3), np.repeat([0, 2], [37, 21])
    candidates = Candidates(np.concatenate([boxes(37, 0), boxes(21, 2)]), number)
    kept, reading = reader(first_pixels).read(integrals, candidates)
    np.testing.assert_array_equal(kept.images, number)
    clipped = clip(kept.boxes, np.full(58, 90), np.full(58, 120))
    for row, (x0, y0, x1, y1) in enumerate(clipped):
        rows, columns = (
            area_cells(np.array([a - 1]), np.array([b - a + 1]), 24) for a, b in ((y0, y1), (x0, x1))
        )
        expected = integrals.crops(number[row : row + 1], rows, columns)[0, 0, :5, :3].ravel()
        found = [reading.scores[row], *reading.offsets[row], *reading.landmarks[row]]
        np.testing.assert_array_equal(found, expected)


def test_every_slab_but_the_last_is_whole_chunks() -> None:
    seen: list[int] = []

    def counting(crops: Floats) -> Floats:
        seen.append(len(crops))
        return first_pixels(crops)

    reader(counting).read(images(1), Candidates(boxes(150, 0), np.zeros(150, np.int64)))
    assert sum(seen) == 150
    assert all(count % 16 == 0 for count in seen[:-1])
    assert len(seen) > 1


def test_a_box_outside_the_image_is_dropped_without_shifting_others() -> None:
    inside = boxes(2, 3)
    outside = np.array([[500, 500, 540, 540], [-50, 10, -20, 40]], np.float32)
    mixed = np.concatenate([outside[:1], inside[:1], outside[1:], inside[1:]])
    kept, reading = reader(first_pixels).read(images(1), Candidates(mixed, np.zeros(4, np.int64)))
    _, expected = reader(first_pixels).read(images(1), Candidates(inside, np.zeros(2, np.int64)))
    np.testing.assert_array_equal(kept.boxes, inside)
    assert reading.landmarks.shape == (2, 10)
    for found, alone in zip(reading, expected, strict=True):
        np.testing.assert_array_equal(found, alone)


def test_no_boxes() -> None:
    def never(crops: Floats) -> Any:
        raise AssertionError("there is nothing to read")

    kept, reading = reader(never).read(
        images(1), Candidates(np.zeros((0, 4), np.float32), np.zeros(0, np.int64))
    )
    assert len(kept.boxes) == len(reading.scores) == len(reading.offsets) == 0
