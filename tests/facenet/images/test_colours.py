import numpy as np
import pytest
from PIL import Image

from facenet.images import decode
from facenet.images.colours import to_rgb
from tests.zoo import bmp_32, deep_png, picture, save


def test_transparent_pixels_are_composited_over_white() -> None:
    rgba = np.zeros((2, 2, 4), np.uint8)
    rgba[0, 0] = (10, 20, 30, 255)
    rgba[0, 1] = (10, 20, 30, 0)
    rgba[1, 0] = (0, 0, 0, 51)
    pixels = decode(save(rgba, "PNG"))
    assert pixels[0, 0].tolist() == [10, 20, 30]
    assert pixels[0, 1].tolist() == [255, 255, 255]
    assert pixels[1, 0].tolist() == [204, 204, 204]


def test_grey_and_alpha_become_three_equal_channels() -> None:
    pixels = decode(save(Image.fromarray(picture(1)).convert("LA"), "PNG"))
    assert (pixels[:, :, 0] == pixels[:, :, 1]).all()
    assert (pixels[:, :, 0] == pixels[:, :, 2]).all()


def test_sixteen_bits_are_scaled_not_truncated() -> None:
    grey = picture(2)[:, :, 0]
    expected = np.repeat(grey[:, :, None], 3, axis=2)
    np.testing.assert_array_equal(decode(save(grey.astype(np.uint16) * 257, "PNG")), expected)
    np.testing.assert_array_equal(
        decode(b"P5 64 48 65535\n" + (grey.astype(">u2") * 257).tobytes()), expected
    )
    np.testing.assert_array_equal(decode(deep_png(5)), picture(5))


def _tiff(values: np.ndarray) -> bytes:
    return save(Image.fromarray(values), "TIFF")


def test_floats_and_integers_are_scaled_by_their_range() -> None:
    def row(*values: float) -> list[int]:
        kind = np.int32 if all(isinstance(v, int) for v in values) else np.float32
        return decode(_tiff(np.array([values], kind)))[0, :, 0].tolist()

    assert row(0.0, 0.5, 1.0) == [0, 128, 255]
    assert row(0.0, 100.0, 255.0) == [0, 100, 255]
    assert row(-1.0, 0.0, 1.0) == [0, 128, 255]
    assert row(0.0, float("nan"), 200.0) == [0, 0, 200]
    assert row(7.0, 7.0) == [7, 7]
    assert row(0, 257, 65535) == [0, 1, 255]
    assert row(0, 2**20, 2**21) == [0, 128, 255]
    assert row(-5, -5) == [0, 0]


@pytest.mark.parametrize("header_size", [40, 56, 108, 124])
def test_a_bmp_whose_alpha_is_0_everywhere_is_opaque(header_size: int) -> None:
    pixels = picture(6)
    np.testing.assert_array_equal(decode(bmp_32(pixels, 0, header_size)), pixels)
    np.testing.assert_array_equal(decode(bmp_32(pixels, 255, header_size)), pixels)


def test_a_bmp_with_some_alpha_is_composited() -> None:
    half = decode(bmp_32(np.zeros((4, 4, 3), np.uint8), 51, 124))
    assert (half == 204).all()


@pytest.mark.parametrize(
    ("kind", "mode", "options"),
    [
        ("PNG", "RGBA", {}),
        ("PNG", "LA", {}),
        ("TIFF", "RGBA", {}),
        ("TIFF", "LA", {}),
        ("WEBP", "RGBA", {"lossless": True, "exact": True}),
    ],
)
def test_alpha_of_0_everywhere_is_ignored_in_every_format(
    kind: str, mode: str, options: dict[str, bool]
) -> None:
    opaque = Image.fromarray(picture(7)).convert(mode[:-1])
    image = opaque.convert(mode)
    image.putalpha(0)
    np.testing.assert_array_equal(decode(save(image, kind, **options)), np.asarray(opaque.convert("RGB")))


def test_one_visible_pixel_makes_the_alpha_channel_valid() -> None:
    rgba = np.zeros((3, 3, 4), np.uint8)
    rgba[1, 1] = (9, 8, 7, 255)
    pixels = to_rgb(Image.fromarray(rgba))
    assert pixels[1, 1].tolist() == [9, 8, 7]
    assert (np.delete(pixels.reshape(9, 3), 4, axis=0) == 255).all()


def test_a_palette_whose_every_pixel_is_transparent_keeps_its_colours() -> None:
    image = Image.new("P", (5, 4), 3)
    image.putpalette(bytes(range(12)))
    assert (decode(save(image, "PNG", transparency=3)) == (9, 10, 11)).all()
