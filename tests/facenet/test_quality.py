"""Quality agrees with a loop over pixels, and orders faces as an eye would."""

import io

import numpy as np
import pytest
from PIL import Image, ImageFilter

from facenet.quality import measure_quality


def test_it_equals_a_loop() -> None:
    image = np.random.default_rng(0).integers(0, 256, (6, 7, 3), np.uint8)
    grey = [[0.299 * r + 0.587 * g + 0.114 * b for r, g, b in row] for row in image.astype(float)]
    values = [
        grey[y - 1][x] + grey[y + 1][x] + grey[y][x - 1] + grey[y][x + 1] - 4 * grey[y][x]
        for y in range(1, 5)
        for x in range(1, 6)
    ]
    found = measure_quality(image, 31.5)
    assert found.side == 31.5
    assert found.sharpness == pytest.approx(np.mean(np.square(values)) - np.mean(values) ** 2)
    assert found.brightness == pytest.approx(np.mean(grey))


def test_a_blurred_or_dark_face_has_less(orl_photos: list[tuple[str, bytes]]) -> None:
    photo = Image.open(io.BytesIO(orl_photos[0][1])).convert("RGB")
    sharp = measure_quality(np.asarray(photo), 90)
    blurred = measure_quality(np.asarray(photo.filter(ImageFilter.GaussianBlur(2))), 90)
    dark = measure_quality(np.asarray(photo.point(lambda value: value // 4)), 90)
    assert blurred.sharpness < sharp.sharpness / 4
    assert dark.brightness < sharp.brightness / 3
    flat = measure_quality(np.full((9, 9, 3), 77, np.uint8), 9)
    assert flat.sharpness == pytest.approx(0, abs=1e-20)
    assert flat.brightness == pytest.approx(77)
