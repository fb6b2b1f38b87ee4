import numpy as np

from facenet.detection.integral import Floats, IntegralImages
from facenet.detection.pyramid import STRIDE, canvases, scales
from facenet.detection.scanner import PyramidScanner, Windows


def redness(pixels: Floats, mask: Floats) -> Floats:
    """Score a window by the red of its first pixel, and return its position as offsets."""
    scores = pixels[: -10 or None : STRIDE, : -10 or None : STRIDE, 0] / 255
    rows, columns = np.indices(scores.shape)
    return np.stack([scores, rows, columns, rows, columns]).astype(np.float32)


def scanner(threshold: float) -> PyramidScanner:
    return PyramidScanner(redness, min_face=20, factor=0.709, threshold=threshold)


def test_windows_that_reach_the_threshold_come_level_by_level() -> None:
    pixels = np.zeros((90, 120, 3), np.uint8)
    pixels[20:40, 50:80] = 255, 0, 0
    windows = scanner(0.9).scan(IntegralImages([pixels]), [1])
    assert set(windows.levels) == {0, 1, 2, 3}  # at level 4 a pixel is wider than the red area
    assert (np.diff(windows.levels) >= 0).all()
    x, y = windows.boxes[:, :2].T
    scale = np.array(scales(90, 120, 20, 0.709))[windows.levels]
    assert (x + 2 / scale >= 50).all()
    assert (x <= 80).all()
    assert (y + 2 / scale >= 20).all()
    assert (y <= 40).all()
    for box, level in zip(windows.boxes, windows.levels, strict=True):
        np.testing.assert_allclose(box[2:] - box[:2], 11 / scales(90, 120, 20, 0.709)[level], atol=1)


def test_positions_between_tiles_are_not_windows() -> None:
    (canvas,) = canvases(90, 120, 20, 0.709)
    windows = scanner(0).scan(IntegralImages([np.full((90, 120, 3), 200, np.uint8)]), [1])
    shapes = [np.empty((canvas.height // 2, canvas.width // 2), bool)[tile.windows] for tile in canvas.tiles]
    assert len(windows.scores) == sum(shape.size for shape in shapes)
    assert (windows.scores > 0.7).all()
    places = set(zip(windows.offsets[:, 0], windows.offsets[:, 1], strict=True))
    assert len(places) == len(windows.scores)


def test_images_come_in_order_and_may_be_too_small() -> None:
    images = [np.full((side, side, 3), 255, np.uint8) for side in (40, 5, 30)]
    windows = scanner(0.5).scan(IntegralImages(images), [1, 1, 1])
    assert set(windows.images) == {0, 2}
    assert (np.diff(windows.images) >= 0).all()
    alone = scanner(0.5).scan(IntegralImages(images[2:]), [1])
    np.testing.assert_array_equal(windows.boxes[windows.images == 2], alone.boxes)


def test_a_reduced_image_is_searched_for_smaller_faces() -> None:
    image = IntegralImages([np.full((40, 40, 3), 255, np.uint8)])
    assert scanner(0).scan(image, [2]).boxes[0].tolist() == [1, 1, 12, 12]


def test_no_images() -> None:
    windows = scanner(0).scan(IntegralImages([]), [])
    assert [len(column) for column in windows] == [0] * 5
    assert Windows.joined([windows, windows]).boxes.shape == (0, 4)
