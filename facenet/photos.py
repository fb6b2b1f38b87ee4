"""The forms in which FaceModel takes photos, and their pixels."""

import base64
import binascii
import os
from collections.abc import Hashable, Iterable, Iterator
from pathlib import Path
from threading import Lock

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from facenet.errors import ImageRejected
from facenet.images import MAX_PIXELS, decode, upright_pixels
from facenet.results import PhotoError

Photo = str | Path | bytes | Image.Image | NDArray[np.uint8]
Pixels = NDArray[np.uint8]
SHOWN = 100  # characters of a path in a message
GROUP_PIXELS = 2**26  # of decoded photos in memory at once: 200 MB, or a single larger photo

_loading = Lock()  # Pillow loads an opened image on first use, which two threads must not do at once


def check_photo(photo: object) -> None:
    """Raise TypeError unless `photo` is a path, bytes, a Pillow image or a uint8 RGB array (H, W, 3)."""
    if isinstance(photo, np.ndarray):
        if photo.dtype != np.uint8 or photo.ndim != 3 or photo.shape[2] != 3:
            raise TypeError(f"an array must be (H, W, 3) uint8 RGB, not {photo.shape} {photo.dtype}")
    elif not isinstance(photo, str | Path | bytes | Image.Image):
        raise TypeError(
            "a photo must be a path, the bytes of a file, a PIL image or an array, not "
            f"{type(photo).__module__}.{type(photo).__qualname__}"
        )


def read_pixels(photo: Photo, *, max_pixels: int = MAX_PIXELS) -> NDArray[np.uint8]:
    """Return a photo as (H, W, 3) uint8 RGB, upright.

    Files and Pillow images are turned by their EXIF orientation and converted to RGB; an array is taken to be
    upright RGB.

    Raises:
        TypeError: see `check_photo`.
        ImageRejected: reason `unreadable` (the file cannot be opened), or one of `facenet.images.read_photo`.
    """
    check_photo(photo)
    if isinstance(photo, Image.Image):
        with _loading:
            return upright_pixels(photo, max_pixels=max_pixels)
    if isinstance(photo, np.ndarray):
        return _checked(photo, max_pixels)
    return decode(photo if isinstance(photo, bytes) else _content(photo), max_pixels=max_pixels)


def pixel_groups(
    photos: Iterable[Photo], *, size: int, max_pixels: int = MAX_PIXELS
) -> Iterator[list[Pixels | PhotoError]]:
    """Yield the pixels of photos, `size` of them at once, less if they are large, or why one is rejected.

    Raises:
        TypeError: see `check_photo`; before any photo is read.
    """
    asked = list(photos)
    for photo in asked:
        check_photo(photo)
    group: list[Pixels | PhotoError] = []
    held = 0
    for photo in asked:
        pixels = _pixels(photo, max_pixels)
        area = 0 if isinstance(pixels, PhotoError) else pixels.shape[0] * pixels.shape[1]
        if group and (len(group) == size or held + area > GROUP_PIXELS):
            yield group
            group, held = [], 0
        group.append(pixels)
        held += area
    if group:
        yield group


def _pixels(photo: Photo, max_pixels: int) -> Pixels | PhotoError:
    try:
        return read_pixels(photo, max_pixels=max_pixels)
    except ImageRejected as rejected:
        return PhotoError(rejected.reason, str(rejected))


def photo_key(photo: Photo) -> Hashable:
    """Return a value that is equal for equal paths, equal bytes and the same image or array object.

    The key of an image or array is valid as long as that object is alive.
    """
    if isinstance(photo, str | Path):
        return "path", os.fspath(photo)
    return ("bytes", photo) if isinstance(photo, bytes) else ("object", id(photo))


def from_base64(text: str) -> bytes:
    """Return the bytes of a photo's file from their base64, with line breaks or as a data: URL.

    Raises:
        ImageRejected: reason `corrupt`: the text is not valid base64.
    """
    encoded = text.partition(",")[2] if text.startswith("data:") else text
    try:
        return base64.b64decode("".join(encoded.split()), validate=True)
    except (binascii.Error, ValueError) as error:
        raise ImageRejected("corrupt", f"the text is not valid base64: {error}") from error


def _content(path: str | Path) -> bytes:
    try:
        return Path(path).read_bytes()
    except (OSError, ValueError) as error:  # ValueError: a null character in the name
        name = str(path) if len(str(path)) <= SHOWN else f"{str(path)[:SHOWN]}..."
        cause = error.strerror if isinstance(error, OSError) else str(error)
        raise ImageRejected("unreadable", f"{name!r} cannot be read: {cause}") from error


def _checked(pixels: NDArray[np.uint8], max_pixels: int) -> NDArray[np.uint8]:
    height, width = pixels.shape[:2]
    if not pixels.size:
        raise ImageRejected("empty", f"The array has no pixels: {pixels.shape}.")
    if height * width > max_pixels:
        raise ImageRejected("too_large", f"{width} x {height} pixels, more than {max_pixels}.")
    return np.ascontiguousarray(pixels)
