from typing import Literal

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from facenet.detection.integral import IntegralImages, area_cells


def photo(height: int, width: int) -> np.ndarray:
    return np.random.default_rng(height * width).integers(0, 256, (height, width, 3), dtype=np.uint8)


def pooled(pixels: np.ndarray, height: int, width: int) -> np.ndarray:
    x = torch.from_numpy(pixels.astype(np.float64)).permute(2, 0, 1)[None]
    return F.adaptive_avg_pool2d(x, (height, width))[0].permute(1, 2, 0).numpy()


def grid(integrals: IntegralImages, number: int, shape: tuple[int, int], size: tuple[int, int]) -> np.ndarray:
    rows, columns = (area_cells(0, side, count) for side, count in zip(shape, size, strict=True))
    means = np.zeros((size[0], 4 * size[1]), np.float32)
    integrals.grid(number, rows, columns, out=means)
    return means.reshape(*size, 4)[..., :3]


@pytest.mark.parametrize("size", [(12, 12), (7, 31), (40, 50), (57, 5)])
def test_a_grid_is_adaptive_average_pooling(size: tuple[int, int]) -> None:
    pixels = photo(41, 53)
    integrals = IntegralImages([photo(9, 30), pixels])
    np.testing.assert_allclose(grid(integrals, 1, (41, 53), size), pooled(pixels, *size), atol=4e-5)


def test_crops_of_many_boxes_and_images_are_pooled_independently() -> None:
    images = [photo(60, 45), photo(61, 70)]
    number = np.array([0, 0, 0, 0, 1])
    x, y = np.array([0, 3, 44, 10, 9]), np.array([0, 20, 59, 5, 11])
    w, h = np.array([45, 7, 1, 30, 61]), np.array([60, 40, 1, 25, 50])
    crops = IntegralImages(images).crops(number, area_cells(y, h, 24), area_cells(x, w, 24))
    for crop, image, left, top, width, height in zip(crops, number, x, y, w, h, strict=True):
        part = images[image][top : top + height, left : left + width]
        np.testing.assert_allclose(crop[..., :3], pooled(part, 24, 24), atol=4e-5)


def test_sums_may_wrap_around() -> None:
    integrals = IntegralImages([photo(9, 9)])
    before = grid(integrals, 0, (9, 9), (4, 4))
    integrals._sums += np.int32(2**31 - 100)  # as if there were 2^31 / 255 more pixels above and to the left
    np.testing.assert_array_equal(grid(integrals, 0, (9, 9), (4, 4)), before)


@pytest.mark.parametrize("layout", ["C", "F"])
def test_pixels_may_have_any_memory_layout(layout: Literal["C", "F"]) -> None:
    pixels = np.asarray(photo(8, 14)[:, ::2], order=layout)
    np.testing.assert_allclose(
        grid(IntegralImages([pixels]), 0, (8, 7), (8, 7)), pixels.astype(np.float32), atol=2e-5
    )


def test_cells_cover_all_pixels() -> None:
    cells = area_cells(5, 10, 4)
    np.testing.assert_array_equal(cells.first, [5, 7, 10, 12])
    np.testing.assert_array_equal(cells.last, [8, 10, 13, 15])
    np.testing.assert_allclose(cells.share, 1 / np.array([3, 3, 3, 3]))
    np.testing.assert_array_equal(cells.part(slice(1, 3)).first, [7, 10])


def test_the_number_of_torch_threads_is_restored() -> None:
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    IntegralImages([photo(9, 9)])
    assert torch.get_num_threads() == 2
    torch.set_num_threads(before)
