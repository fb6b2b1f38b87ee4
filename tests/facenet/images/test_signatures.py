import pytest

from facenet.images.signatures import FORMATS, foreign_format, supported_format
from tests.zoo import foreign_media, media, picture, save

VARIANTS = (".jpg", ".jls", "apple.png")  # begin like a supported format


@pytest.mark.parametrize("kind", FORMATS)
def test_supported_formats_are_recognised(kind: str) -> None:
    assert supported_format(save(picture(0), kind)) == kind


@pytest.mark.parametrize("name", [name for name in foreign_media() if not name.endswith(VARIANTS)])
def test_other_formats_are_named(name: str) -> None:
    data, expected = foreign_media()[name]
    assert supported_format(data) is None
    assert expected in str(foreign_format(data))


@pytest.mark.parametrize("data", [b"", b"x", b"this is no photo", bytes(100), b"\0\0\0\x18ftyp"])
def test_an_unknown_format_has_no_name_or_only_its_brand(data: bytes) -> None:
    assert supported_format(data) is None
    name = foreign_format(data)
    assert name is None or "brand" in name


def test_only_brands_inside_their_box_count() -> None:
    assert supported_format(media(b"mif1", b"heic") + b"avif") is None
    assert supported_format(media(b"heic", b"mif1", b"avif")) == "AVIF"
    assert foreign_format(media(b"zzzz")) == "An ISO media file of brand 'zzzz'"
    endless = b"\xff\xff\xff\xff" + media(b"heic")[4:]
    assert foreign_format(endless) == "HEIC"


def test_an_avif_that_pillow_cannot_read_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    from PIL import Image

    data = save(picture(0), "AVIF")
    monkeypatch.delitem(Image.OPEN, "AVIF")
    assert supported_format(data) is None
    assert foreign_format(data) == "AVIF"
