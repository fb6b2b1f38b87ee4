import math

import numpy as np
import pytest

from facenet.training.rotation import rotate


def faces(count: int = 3, height: int = 6, width: int = 6) -> np.ndarray:
    return np.random.default_rng(1).integers(0, 256, (count, height, width, 3)).astype(np.uint8)


def turned_pixel(image: np.ndarray, y: int, x: int, degrees: float, scale: float = 1.0) -> np.ndarray:
    """Look up where the pixel comes from: back by angle and scale, edges repeated, four neighbours mixed."""
    height, width = image.shape[:2]
    down, right = (y - (height - 1) / 2) / scale, (x - (width - 1) / 2) / scale
    sine, cosine = math.sin(math.radians(degrees)), math.cos(math.radians(degrees))
    from_x = min(max(cosine * right - sine * down + (width - 1) / 2, 0), width - 1)
    from_y = min(max(sine * right + cosine * down + (height - 1) / 2, 0), height - 1)
    left, top = min(int(from_x), width - 2), min(int(from_y), height - 2)
    a, b = from_x - left, from_y - top
    upper = (1 - a) * image[top, left] + a * image[top, left + 1]
    lower = (1 - a) * image[top + 1, left] + a * image[top + 1, left + 1]
    mixed: np.ndarray = (1 - b) * upper + b * lower
    return mixed


@pytest.mark.parametrize(("height", "width"), [(6, 6), (5, 9)])
def test_it_is_the_naive_loop_over_pixels(height: int, width: int) -> None:
    images, angles = faces(4, height, width), np.array([10.0, -33.0, 0.0, 170.0])
    found = rotate(images, angles)
    assert (found.dtype, found.shape) == (np.uint8, images.shape)
    for number, image in enumerate(images.astype(float)):
        for y, x in np.ndindex(height, width):
            expected = turned_pixel(image, y, x, angles[number])
            assert np.abs(found[number, y, x] - expected).max() <= 0.51


def test_scales_are_those_of_the_naive_loop() -> None:
    images, angles, scales = faces(3, 5, 9), np.array([10.0, 0.0, -33.0]), np.array([1.1, 0.9, 1.5])
    found = rotate(images, angles, scales)
    for number, image in enumerate(images.astype(float)):
        for y, x in np.ndindex(5, 9):
            expected = turned_pixel(image, y, x, angles[number], scales[number])
            assert np.abs(found[number, y, x] - expected).max() <= 0.51
    assert np.array_equal(rotate(images, angles, np.ones(3)), rotate(images, angles))


def test_a_quarter_turn_is_counter_clockwise() -> None:
    images = faces()
    assert np.array_equal(rotate(images, np.full(3, 90.0)), np.rot90(images, axes=(1, 2)))
