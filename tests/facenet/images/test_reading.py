import io
import random
import re
import struct
import subprocess
import sys
import warnings
import zlib
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from PIL import Image, ImageFile

from facenet.errors import ImageRejected
from facenet.images import decode, read_photo
from tests.zoo import Animal, foreign_media, orientation, picture, png_chunk, raw_png, save, with_chunks, zoo

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


def large_texts() -> list[bytes]:
    """Chunks that Pillow refuses: one text of 64 MB, and many smaller ones that add up to 70 MB."""
    bomb = b"Comment\0\0" + zlib.compress(bytes(2**26), 1)
    part = b"Comment\0\0" + zlib.compress(bytes(2**20 - 1), 1)
    return [png_chunk(b"zTXt", bomb), png_chunk(b"zTXt", part) * 70]


ANCILLARY = {
    "large profile": png_chunk(b"iCCP", b"p\0\0" + zlib.compress(bytes(2**21))),
    "profile with an unknown compression": png_chunk(b"iCCP", b"p\0\1" + bytes(20)),
    "text bomb": large_texts()[0],
    "many large texts": large_texts()[1],
    "international text bomb": png_chunk(b"iTXt", b"C\0\1\0en\0\0" + zlib.compress(bytes(2**22))),
    "text with a wrong checksum": png_chunk(b"tEXt", b"Comment\0hello")[:-1] + b"?",
    "gamma with a wrong checksum": png_chunk(b"gAMA", bytes(4))[:-4] + bytes(4),
    "unknown chunk with a wrong checksum": png_chunk(b"prVt", b"private")[:-4] + bytes(4),
    "truncated physical size": png_chunk(b"pHYs", b"\0"),
    "damaged transparency": png_chunk(b"tRNS", bytes(6))[:-4] + bytes(4),
}


@pytest.mark.parametrize("name", ANCILLARY)
def test_damaged_or_large_ancillary_chunks_do_not_reject_an_intact_png(name: str) -> None:
    data = with_chunks(save(picture(3), "PNG"), ANCILLARY[name])
    photo = read_photo(data)
    np.testing.assert_array_equal(photo.pixels, picture(3))
    assert not photo.plain  # other readers may refuse it
    turned = with_chunks(save(picture(3), "PNG", exif=orientation(6)), ANCILLARY[name])
    np.testing.assert_array_equal(decode(turned), UPRIGHT[6](picture(3)))


def test_text_bombs_are_not_decompressed() -> None:
    """In a separate process, so that its memory can be measured."""
    code = (
        "import sys; from facenet.images import decode; from tests.peak_memory import peak_mb\n"
        "data = sys.stdin.buffer.read(); before = peak_mb()\n"
        "assert decode(data).shape == (48, 64, 3); print(peak_mb() - before)"
    )
    data = with_chunks(save(picture(3), "PNG"), b"".join(large_texts()) * 4)
    done = subprocess.run([sys.executable, "-c", code], input=data, capture_output=True, check=True)
    assert float(done.stdout) < 128  # megabytes; 536 if all were decompressed


@pytest.mark.parametrize("kind", [b"IHDR", b"IDAT", b"IEND"])
def test_a_wrong_checksum_in_a_critical_chunk_is_corrupt(kind: bytes) -> None:
    data = bytearray(save(picture(3), "PNG"))
    place = data.index(kind)
    data[place + 4 + int.from_bytes(data[place - 4 : place])] ^= 1
    with pytest.raises(ImageRejected, match="checksum") as caught:
        decode(bytes(data))
    assert caught.value.reason == "corrupt"


def test_ancillary_chunks_do_not_hide_damaged_pixels_or_a_bomb() -> None:
    damaged = with_chunks(ZOO["png_bit_flipped.png"].data, ANCILLARY["large profile"])
    bomb = with_chunks(ZOO["bomb.png"].data, ANCILLARY["text with a wrong checksum"])
    for data, reason in ((damaged, "corrupt"), (bomb, "too_large")):
        with pytest.raises(ImageRejected) as caught:
            decode(data)
        assert caught.value.reason == reason


@pytest.mark.parametrize("name", foreign_media())
def test_the_rejection_of_an_unsupported_file_names_its_format(name: str) -> None:
    data, format_name = foreign_media()[name]
    with pytest.raises(ImageRejected, match=re.escape(format_name)) as caught:
        decode(data)
    assert caught.value.reason == "unsupported"
    assert "JPEG, PNG" in str(caught.value)


@pytest.mark.parametrize("brand", [b"avif", b"mif1", b"msf1", b"miaf", b"heic"])
def test_an_avif_is_read_whatever_its_major_brand(brand: bytes) -> None:
    data = ZOO["avif.avif"].data
    assert data[8:12] == b"avif"
    renamed = data[:8] + brand + data[12:]
    np.testing.assert_array_equal(decode(renamed), decode(data))


@pytest.mark.parametrize(("kind", "decoder"), [("JPEG2000", "jpeg2k"), ("WEBP", ""), ("AVIF", "")])
def test_a_format_that_pillow_was_built_without_is_unsupported(
    kind: str, decoder: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = save(picture(1), kind)
    if decoder:
        monkeypatch.delattr(Image.core, f"{decoder}_decoder")
    else:
        monkeypatch.delitem(Image.OPEN, kind)
    with pytest.raises(ImageRejected) as caught:
        decode(data)
    assert caught.value.reason == "unsupported"


@pytest.mark.parametrize("compression", [34892, 50002])  # lossy DNG and JPEG XL
def test_a_tiff_with_an_unknown_compression_is_unsupported(compression: int) -> None:
    data = bytearray(save(picture(1), "TIFF"))
    entry = data.index(struct.pack("<HHIH", 259, 3, 1, 1))
    data[entry + 8 : entry + 10] = struct.pack("<H", compression)
    with pytest.raises(ImageRejected) as caught:
        decode(bytes(data))
    assert caught.value.reason == "unsupported"


def test_real_faces_are_read_exactly(orl_photos: list[tuple[str, bytes]]) -> None:
    _, data = orl_photos[0]
    pixels = decode(data)
    assert pixels.shape == (112, 92, 3)
    assert pixels[:, :, 0].tobytes() == data[-112 * 92 :]


def test_the_zoo_has_no_two_equal_files() -> None:
    assert len(ZOO) >= 40
    assert len({animal.data for animal in ZOO.values()}) == len(ZOO)
    assert isinstance(ZOO["png.png"], Animal)
