"""Every form of a photo gives the pixels of its file, and everything else a clear error."""

import base64
import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from facenet.errors import ImageRejected
from facenet.images import decode
from facenet.photos import from_base64, photo_key, read_pixels
from tests.zoo import zoo


def opens(data: bytes) -> bool:
    """Return whether Pillow reads a file without our repair."""
    try:
        Image.open(io.BytesIO(data)).load()
    except (OSError, SyntaxError, ValueError):
        return False
    return True


ZOO = {name: animal for name, animal in zoo().items() if animal.status == "kept" and opens(animal.data)}


@pytest.mark.parametrize("name", ZOO)
def test_an_opened_image_of_any_mode_has_the_pixels_of_its_file(name: str) -> None:
    data = ZOO[name].data
    np.testing.assert_array_equal(read_pixels(Image.open(io.BytesIO(data))), decode(data))


def test_a_path_is_its_bytes(tmp_path: Path) -> None:
    data = next(iter(ZOO.values())).data
    path = tmp_path / "ä b.png"
    path.write_bytes(data)
    for form in (path, str(path), data):
        np.testing.assert_array_equal(read_pixels(form), decode(data))
    pixels = decode(data)
    np.testing.assert_array_equal(read_pixels(pixels[:, ::-1]), pixels[:, ::-1])


@pytest.mark.parametrize(
    ("photo", "message"),
    [
        (None, "not builtins.NoneType"),
        (bytearray(b"x"), "not builtins.bytearray"),
        (np.zeros((4, 4, 3)), r"not \(4, 4, 3\) float64"),
        (np.zeros((4, 4), np.uint8), r"not \(4, 4\) uint8"),
        (np.zeros((4, 4, 4), np.uint8), r"not \(4, 4, 4\) uint8"),
    ],
)
def test_what_is_not_a_photo_is_a_type_error(photo: object, message: str) -> None:
    with pytest.raises(TypeError, match=message):
        read_pixels(photo)  # type: ignore[arg-type]


def rejection(photo: object, **limits: int) -> ImageRejected:
    with pytest.raises(ImageRejected) as caught:
        read_pixels(photo, **limits)  # type: ignore[arg-type]
    return caught.value


def test_what_cannot_be_read_names_the_photo(tmp_path: Path) -> None:
    assert rejection(tmp_path / "no.jpg").reason == rejection(tmp_path).reason == "unreadable"
    assert "no.jpg' cannot be read: No such file" in str(rejection(tmp_path / "no.jpg"))
    assert len(str(rejection("A" * 100_000))) < 200  # base64 given as a path
    assert rejection("a\0b").reason == "unreadable"
    assert rejection(np.zeros((0, 4, 3), np.uint8)).reason == rejection(Image.new("RGB", (0, 3))).reason
    large = np.zeros((30, 40, 3), np.uint8)
    for form in (large, Image.fromarray(large)):
        assert str(rejection(form, max_pixels=1199)) == "40 x 30 pixels, more than 1199."
    truncated = io.BytesIO()
    Image.fromarray(np.random.default_rng(0).integers(0, 256, (99, 99, 3), np.uint8)).save(truncated, "PNG")
    assert rejection(Image.open(io.BytesIO(truncated.getvalue()[:9000]))).reason == "corrupt"


def test_equal_photos_have_equal_keys(tmp_path: Path) -> None:
    array = np.zeros((2, 2, 3), np.uint8)
    assert photo_key("a/b.jpg") == photo_key(Path("a/b.jpg"))
    assert photo_key(b"ab") == photo_key(bytes(bytearray(b"ab")))
    assert photo_key(array) == photo_key(array) != photo_key(array.copy())
    assert len({photo_key("ab"), photo_key(b"ab")}) == 2


def test_base64_and_data_urls_are_the_bytes() -> None:
    data = bytes(range(256)) * 3
    text = base64.encodebytes(data).decode()  # with a line break every 76 characters
    assert from_base64(text) == from_base64(f"data:image/png;base64,{text}") == data
    with pytest.raises(ImageRejected, match="not valid base64"):
        from_base64("no base64!")
