import numpy as np
import pytest
import torch
import torch.nn.functional as F

from facenet.detection.integral import IntegralImage, area_cells


def photo(height: int, width: int) -> np.ndarray:
    return np.random.default_rng(height * width).integers(0, 256, (height, width, 3), dtype=np.uint8)


def pooled(pixels: np.ndarray, height: int, width: int) -> np.ndarray:
    x = torch.from_numpy(pixels.astype(np.float64)).permute(2, 0, 1)[None]
    return F.adaptive_avg_pool2d(x, (height, width))[0].permute(1, 2, 0).numpy()


@pytest.mark.parametrize("size", [(12, 12), (7, 31), (40, 50), (57, 5)])
def test_a_grid_is_adaptive_average_pooling(size: tuple[int, int]) -> None:
    pixels = photo(41, 53)
    grid = IntegralImage(pixels).grid(area_cells(0, 41, size[0]), area_cells(0, 53, size[1]))
    np.testing.assert_allclose(grid, pooled(pixels, *size), atol=2e-5)


def test_crops_of_many_boxes_are_pooled_alone() -> None:
    pixels = photo(60, 45)
    x, y = np.array([0, 3, 44, 10]), np.array([0, 20, 59, 5])
    w, h = np.array([45, 7, 1, 30]), np.array([60, 40, 1, 25])
    crops = IntegralImage(pixels).crops(area_cells(y, h, 24), area_cells(x, w, 24))
    for crop, left, top, width, height in zip(crops, x, y, w, h, strict=True):
        part = pixels[top : top + height, left : left + width]
        np.testing.assert_allclose(crop, pooled(part, 24, 24), atol=2e-5)


def test_sums_may_wrap_around() -> None:
    pixels = photo(9, 9)
    integral = IntegralImage(pixels)
    cells = area_cells(0, 9, 4)
    before = integral.grid(cells, cells)
    integral._sums += np.uint32(2**32 - 100)  # as if there were 2^32 / 255 more pixels above and to the left
    np.testing.assert_array_equal(integral.grid(cells, cells), before)


def test_cells_cover_all_pixels() -> None:
    cells = area_cells(5, 10, 4)
    np.testing.assert_array_equal(cells.first, [5, 7, 10, 12])
    np.testing.assert_array_equal(cells.last, [8, 10, 13, 15])
