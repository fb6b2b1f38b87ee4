import numpy as np
import pytest

from facenet.images import ImageFormat, decode, encode
from tests.zoo import picture


@pytest.mark.parametrize("image_format", ["webp", "png"])
def test_webp_and_png_are_lossless_and_deterministic(image_format: ImageFormat) -> None:
    for pixels in (
        picture(4),
        np.zeros((1, 1, 3), np.uint8),
        np.arange(768, dtype=np.uint8).reshape(16, 16, 3),
    ):
        np.testing.assert_array_equal(decode(encode(pixels, image_format)), pixels)
        assert encode(pixels, image_format) == encode(pixels.copy(), image_format)


def test_jpeg_is_deterministic_and_close() -> None:
    pixels = picture(4)
    assert encode(pixels, "jpeg") == encode(pixels.copy(), "jpeg")
    assert np.abs(decode(encode(pixels, "jpeg")).astype(int) - pixels).max() < 24


@pytest.mark.parametrize("shape", [(4, 4), (4, 4, 1), (4, 4, 4), (0, 4, 3), (1, 4, 4, 3)])
def test_encoding_anything_but_rgb_is_an_error(shape: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match="must be"):
        encode(np.zeros(shape, np.uint8), "png")
    with pytest.raises(ValueError, match="float32"):
        encode(np.zeros((4, 4, 3), np.float32), "png")  # type: ignore[arg-type]
