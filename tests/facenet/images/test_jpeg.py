import pytest

from facenet.images.jpeg import has_end, unusual_coding
from tests.zoo import jpeg_of, picture, save


@pytest.mark.parametrize(
    ("frame", "bits", "name"),
    [
        (0xC0, 8, None),
        (0xC1, 8, None),
        (0xC2, 8, None),
        (0xC1, 12, "12-bit JPEG"),
        (0xC2, 12, "12-bit JPEG"),
        (0xC3, 8, "lossless JPEG"),
        (0xC3, 16, "lossless 16-bit JPEG"),
        (0xC5, 8, "hierarchical JPEG"),
        (0xCF, 8, "hierarchical JPEG"),
        (0xC9, 8, "arithmetic-coded JPEG"),
        (0xCA, 12, "arithmetic-coded 12-bit JPEG"),
        (0xCB, 8, "lossless arithmetic-coded JPEG"),
        (0xF7, 8, "JPEG-LS"),
    ],
)
def test_the_start_of_frame_names_the_coding(frame: int, bits: int, name: str | None) -> None:
    assert unusual_coding(jpeg_of(frame, bits)) == name


def test_an_unusual_number_of_components_is_named() -> None:
    data = bytearray(jpeg_of(0xC0))
    data[data.index(b"\xff\xc0") + 9] = 2
    assert unusual_coding(bytes(data)) == "2-component JPEG"


@pytest.mark.parametrize("cut", [0, 2, 3, 20, 160])
def test_without_a_whole_frame_header_nothing_is_named(cut: int) -> None:
    assert unusual_coding(jpeg_of(0xC1, 12)[:cut]) is None


def test_the_end_is_searched_after_the_first_scan() -> None:
    thumbnail = save(picture(1, 16, 12), "JPEG")
    whole = save(picture(0), "JPEG", exif=b"Exif\0\0II*\0\x08\0\0\0\0\0\0\0\0\0" + thumbnail)
    assert has_end(whole)
    assert not has_end(whole[:-2])
    assert not has_end(whole[:-300] + bytes(300))
    assert has_end(whole[:2] + b"\xff" + whole[2:])  # a fill byte
    assert has_end(whole[:2] + b"\0" + whole[3:-2])  # segments that cannot be followed: the decoder decides
