import numpy as np
import pytest
import torch
import torch.nn.functional as F

from facenet.detection.integral import IntegralImage
from facenet.detection.pyramid import CANVAS_PIXELS, STRIDE, canvases, scales


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
    integral, drawn = IntegralImage(pixels), 0
    for canvas in canvases(420, 700, 20, 0.709):
        image = canvas.draw(integral)
        for tile in canvas.tiles:
            level = F.adaptive_avg_pool2d(x, (tile.level_height, tile.width))[0].permute(1, 2, 0).numpy()
            expected = level[tile.row * STRIDE :][: tile.height]
            part = image[tile.top : tile.top + tile.height, tile.left : tile.left + tile.width]
            np.testing.assert_allclose(part, expected, atol=2e-5)
            drawn += 1
    assert drawn > 9
