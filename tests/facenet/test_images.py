import io
import random
import warnings
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from PIL import Image, ImageFile

from facenet.errors import ImageRejected
from facenet.images import ImageFormat, decode, encode, read_photo
from tests.zoo import Animal, deep_png, orientation, picture, raw_png, save, zoo

ZOO = zoo()


@pytest.mark.parametrize("name", ZOO)
def test_every_file_of_the_zoo_is_decoded_or_rejected_for_its_reason(name: str) -> None:
    animal = ZOO[name]
    if animal.status in ("kept", "too_small"):
        pixels = decode(animal.data)
        assert pixels.shape == (animal.height, animal.width, 3)
        assert pixels.dtype == np.uint8
        assert pixels.flags.c_contiguous
        assert pixels.flags.writeable
    else:
        with pytest.raises(ImageRejected) as caught:
            decode(animal.data)
        assert caught.value.reason == animal.status
        assert str(caught.value)


# What a viewer shows for each EXIF orientation: NumPy operations that turn the stored array upright.
UPRIGHT = {
    1: lambda a: a,
    2: lambda a: a[:, ::-1],
    3: lambda a: a[::-1, ::-1],
    4: lambda a: a[::-1],
    5: lambda a: a.transpose(1, 0, 2),
    6: lambda a: np.rot90(a, -1),
    7: lambda a: np.rot90(a, 2).transpose(1, 0, 2),
    8: lambda a: np.rot90(a, 1),
}


@pytest.mark.parametrize("kind", ["PNG", "TIFF"])
@pytest.mark.parametrize("number", UPRIGHT)
def test_orientation_is_applied_once_in_lossless_files(kind: str, number: int) -> None:
    stored = picture(number)
    photo = read_photo(save(stored, kind, exif=orientation(number)))
    np.testing.assert_array_equal(photo.pixels, UPRIGHT[number](stored))


@pytest.mark.parametrize("kind", ["JPEG", "WEBP", "AVIF"])
def test_orientation_is_applied_in_lossy_files(kind: str) -> None:
    stored = picture(3)
    turned = decode(save(stored, kind, quality=95, exif=orientation(6)))
    assert np.abs(turned.astype(int) - UPRIGHT[6](stored)).mean() < 6


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


def test_the_first_frame_is_read() -> None:
    frames = {"save_all": True, "append_images": [Image.fromarray(picture(9))]}
    np.testing.assert_array_equal(decode(save(Image.fromarray(picture(8)), "TIFF", **frames)), picture(8))
    np.testing.assert_array_equal(decode(save(Image.fromarray(picture(8)), "PNG", **frames)), picture(8))


PLAIN = {
    "jpeg.jpg": True,
    "jpeg_progressive.jpg": True,
    "png.png": True,
    "jpeg_orientation_1.jpg": True,
    "jpeg_orientation_6.jpg": False,
    "jpeg_grey.jpg": False,
    "jpeg_cmyk.jpg": False,
    "jpeg_two_pictures.mpo": False,
    "png_rgba.png": False,
    "png_palette.png": False,
    "png_rgb_16_bit.png": False,
    "png_rgb_transparent_colour.png": False,
    "png_animated.png": False,
    "webp_lossless.webp": False,
    "bmp.bmp": False,
}


@pytest.mark.parametrize("name", PLAIN)
def test_plain_files_have_the_same_pixels_in_every_reader(name: str) -> None:
    photo = read_photo(ZOO[name].data)
    assert photo.plain is PLAIN[name]
    if photo.plain:
        np.testing.assert_array_equal(photo.pixels, np.asarray(Image.open(io.BytesIO(ZOO[name].data))))


def test_the_pixel_limit_is_applied_to_the_header_before_decoding() -> None:
    assert decode(save(picture(0), "PNG"), max_pixels=64 * 48).shape == (48, 64, 3)
    with pytest.raises(ImageRejected, match="64 x 48 pixels") as caught:
        decode(save(picture(0), "PNG"), max_pixels=64 * 48 - 1)
    assert caught.value.reason == "too_large"
    header_only = raw_png(20_000, 20_000, 8, 2, b"")  # decoding it would fail as corrupt
    with pytest.raises(ImageRejected) as caught:
        decode(header_only, max_pixels=100_000)
    assert caught.value.reason == "too_large"


def test_pillows_own_limit_and_warning_filters_have_no_effect(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 64 * 40)  # Image.open would warn, which is an error here
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert decode(save(picture(0), "JPEG")).shape == (48, 64, 3)
        monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 100)  # Image.open would raise
        assert decode(save(picture(0), "JPEG")).shape == (48, 64, 3)
    assert Image.MAX_IMAGE_PIXELS == 100


def test_a_bomb_that_pillow_detects_while_decoding_is_rejected(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 100)  # Pillow applies it to the frames of a GIF
    frame = Image.new("P", (8, 8))
    data = bytearray(save(frame, "GIF"))
    place = data.index(b",") + 5
    data[place : place + 4] = b"\xff\xff\xff\xff"  # a frame larger than its image
    with pytest.raises(ImageRejected) as caught:
        decode(bytes(data))
    assert caught.value.reason in ("too_large", "corrupt")


def test_a_truncated_jpeg_with_a_thumbnail_is_corrupt() -> None:
    thumbnail = save(picture(1, 16, 12), "JPEG")
    whole = save(picture(0), "JPEG", exif=b"Exif\0\0II*\0\x08\0\0\0\0\0\0\0\0\0" + thumbnail)
    assert thumbnail in whole
    assert decode(whole).shape == (48, 64, 3)
    with pytest.raises(ImageRejected):
        decode(whole[:-300] + bytes(300))


@pytest.mark.parametrize("name", ["jpeg.jpg", "png.png", "gif.gif", "webp.webp", "tiff_lzw.tif", "bmp.bmp"])
def test_no_damage_raises_anything_but_a_rejection(name: str) -> None:
    rng = random.Random(name)
    data = ZOO[name].data
    for cut in range(0, len(data), max(1, len(data) // 40)):
        _survive(data[:cut])
    for _ in range(60):
        broken = bytearray(data)
        for _ in range(rng.randint(1, 4)):
            broken[rng.randrange(min(len(data), 400))] = rng.randrange(256)
        _survive(bytes(broken))


def _survive(data: bytes) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            ending = str(decode(data, max_pixels=10**6).dtype)
        except ImageRejected as rejection:
            ending = rejection.reason
    assert ending in ("uint8", "empty", "corrupt", "unsupported", "too_large")


def test_decoding_in_threads_gives_the_same_pixels() -> None:
    kept = [animal.data for animal in ZOO.values() if animal.status == "kept"]
    with ThreadPoolExecutor(8) as threads:
        together = list(threads.map(decode, kept * 3))
    for data, pixels in zip(kept * 3, together, strict=True):
        np.testing.assert_array_equal(pixels, decode(data))
    assert not ImageFile.LOAD_TRUNCATED_IMAGES


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


def test_real_faces_are_read_exactly(orl_photos: list[tuple[str, bytes]]) -> None:
    _, data = orl_photos[0]
    pixels = decode(data)
    assert pixels.shape == (112, 92, 3)
    assert pixels[:, :, 0].tobytes() == data[-112 * 92 :]


def test_the_zoo_has_no_two_equal_files() -> None:
    assert len(ZOO) >= 40
    assert len({animal.data for animal in ZOO.values()}) == len(ZOO)
    assert isinstance(ZOO["png.png"], Animal)
