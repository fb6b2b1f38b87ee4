import numpy as np
import pytest
import torch
import torch.nn.functional as F

from facenet.detection.integral import IntegralImages
from facenet.detection.networks import PNet
from facenet.detection.pyramid import CANVAS_PIXELS, GRID, STRIDE, WINDOW, canvases, scales


@pytest.mark.parametrize(
    ("side", "levels"), [(160, 7), (250, 8), (640, 11), (1080, 12), (20, 1), (19, 0), (1, 0)]
)
def test_levels(side: int, levels: int) -> None:
    assert len(scales(side, 3 * side, 20, 0.709)) == levels


@pytest.mark.parametrize(
    "shape", [(250, 250), (1080, 1920), (20, 4000), (4000, 21), (333, 77), (20, 20), (19, 300)]
)
def test_every_window_of_every_level_lies_in_one_tile(shape: tuple[int, int]) -> None:
    seen: dict[int, np.ndarray] = {}
    for level, scale in enumerate(scales(*shape, 20, 0.709)):
        rows, columns = (-(-(int(side * scale + 1) - 10) // STRIDE) for side in shape)
        seen[level] = np.zeros((rows, columns), int)
    for canvas in canvases(*shape, 20, 0.709):
        used = np.zeros((canvas.height, canvas.width), int)
        for tile in canvas.tiles:
            assert tile.top % STRIDE == tile.left % STRIDE == 0
            used[tile.top : tile.top + tile.height, tile.left : tile.left + tile.width] += 1
            rows, columns = tile.windows
            seen[tile.level][
                tile.row : tile.row + rows.stop - rows.start, : columns.stop - columns.start
            ] += 1
        assert used.max() == 1
        assert used.size <= CANVAS_PIXELS or len(canvas.tiles) == 1
    assert all((windows == 1).all() for windows in seen.values())


def test_tiles_show_the_levels_as_area_means() -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (420, 700, 3), dtype=np.uint8)
    x = torch.from_numpy(pixels.astype(np.float64)).permute(2, 0, 1)[None]
    integrals, drawn = IntegralImages([pixels[:50], pixels]), 0
    for canvas in canvases(420, 700, 20, 0.709):
        image = canvas.draw(integrals, 1)
        for tile in canvas.tiles:
            size = int(420 * tile.scale + 1), int(700 * tile.scale + 1)
            level = F.adaptive_avg_pool2d(x, size)[0].permute(1, 2, 0).numpy()
            expected = level[tile.row * STRIDE :][: tile.height]
            part = image[tile.top : tile.top + tile.height, tile.left : tile.left + tile.width, :3]
            np.testing.assert_allclose(part, expected, atol=4e-5)
            drawn += 1
    assert drawn > 9


def test_photos_of_similar_size_share_a_canvas_shape() -> None:
    shapes = {(c.height, c.width) for side in range(248, 252) for c in canvases(side, 250, 20, 0.709)}
    assert len(shapes) == 1
    assert all(side % GRID == 0 for shape in shapes for side in shape)


def test_a_window_belongs_to_the_tile_that_contains_it() -> None:
    (canvas,) = canvases(100, 130, 20, 0.709)
    rows, columns = (x.ravel() for x in np.indices((canvas.height // 2 - 5, canvas.width // 2 - 5)))
    belongs = canvas.tile_of(rows, columns)
    for row, column, number in zip(rows * STRIDE, columns * STRIDE, belongs, strict=True):
        around = [
            n
            for n, tile in enumerate(canvas.tiles)
            if tile.top <= row <= row + WINDOW <= tile.top + tile.height + 1
            and tile.left <= column <= column + WINDOW <= tile.left + tile.width + 1
        ]
        assert around == ([number] if number >= 0 else [])
    assert set(belongs) == set(range(-1, len(canvas.tiles)))


@torch.inference_mode()
def test_the_mask_separates_tiles() -> None:
    torch.manual_seed(0)
    network = PNet()
    for canvas in canvases(101, 130, 20, 0.709):
        x = torch.randn(1, 3, canvas.height, canvas.width)
        together, _ = network(x, torch.from_numpy(canvas.mask()))
        for tile in canvas.tiles:
            alone, _ = network(x[..., tile.top :, tile.left :][..., : tile.height, : tile.width])
            torch.testing.assert_close(together[(slice(None), *tile.windows)], alone)
