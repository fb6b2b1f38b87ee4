import zlib

import pytest

from facenet.images.png import (
    MAX_TEXT,
    SIGNATURE,
    chunks,
    damaged_critical_chunk,
    is_apple_variant,
    without_ancillary,
)
from tests.zoo import apple_png, orientation, picture, png_chunk, save, with_chunks

PNG = save(picture(0), "PNG", exif=orientation(3))


def kinds(data: bytes) -> list[bytes]:
    return [chunk.kind for chunk in chunks(data)]


def test_chunks_are_the_whole_file_up_to_its_end() -> None:
    assert kinds(PNG + b"junk") == [b"IHDR", b"eXIf", b"IDAT", b"IEND"]
    assert SIGNATURE + b"".join(chunk.whole for chunk in chunks(PNG + b"junk")) == PNG
    assert all(chunk.valid for chunk in chunks(PNG))
    assert kinds(PNG[:-20]) == [b"IHDR", b"eXIf"]
    assert kinds(PNG[:8]) == []


def test_a_wrong_checksum_is_found_in_its_chunk() -> None:
    wrong = with_chunks(PNG, png_chunk(b"tEXt", b"C\0x")[:-4] + bytes(4))
    assert [chunk.valid for chunk in chunks(wrong)] == [True, False, True, True, True]
    assert damaged_critical_chunk(wrong) is None
    pixels = bytearray(PNG)
    pixels[PNG.index(b"IDAT") + 50] ^= 1
    assert damaged_critical_chunk(bytes(pixels)) == "IDAT"


TEXT = b"Raw profile type exif"
KEPT = {
    "transparency": png_chunk(b"tRNS", bytes(6)),
    "text with an orientation": png_chunk(b"zTXt", TEXT + b"\0\0" + zlib.compress(b"exif")),
    "XMP": png_chunk(b"iTXt", b"XML:com.adobe.xmp\0\0\0\0\0<x/>"),
    "compressed XMP": png_chunk(b"iTXt", b"XML:com.adobe.xmp\0\1\0en\0\0" + zlib.compress(b"<x/>")),
}
DROPPED = {
    "profile": png_chunk(b"iCCP", b"p\0\0" + zlib.compress(b"p")),
    "comment": png_chunk(b"tEXt", b"Comment\0hello"),
    "animation": png_chunk(b"acTL", bytes(8)),
    "damaged transparency": png_chunk(b"tRNS", bytes(6))[:-4] + bytes(4),
    "bomb that claims an orientation": png_chunk(b"zTXt", TEXT + b"\0\0" + zlib.compress(bytes(MAX_TEXT))),
    "XMP bomb": png_chunk(b"iTXt", b"XML:com.adobe.xmp\0\1\0en\0\0" + zlib.compress(bytes(MAX_TEXT))),
    "long text": png_chunk(b"tEXt", TEXT + b"\0" + b"x" * MAX_TEXT),
    "text that is not a zlib stream": png_chunk(b"zTXt", TEXT + b"\0\0nothing"),
}


@pytest.mark.parametrize("name", KEPT)
def test_chunks_that_affect_the_image_are_kept(name: str) -> None:
    data = with_chunks(PNG, KEPT[name])
    assert without_ancillary(data) == data


@pytest.mark.parametrize("name", DROPPED)
def test_all_other_ancillary_chunks_are_dropped(name: str) -> None:
    assert without_ancillary(with_chunks(PNG, DROPPED[name])) == PNG


def test_apples_variant_is_recognised() -> None:
    assert is_apple_variant(apple_png())
    assert not is_apple_variant(PNG)
