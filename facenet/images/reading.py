"""Decode photos of any supported format to upright 8-bit RGB, or reject them with a reason."""

import io
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from PIL import ExifTags, Image, ImageFile

from facenet.errors import ImageRejected
from facenet.images import jpeg, png
from facenet.images.colours import to_rgb
from facenet.images.signatures import FORMATS, foreign_format, supported_format

MAX_PIXELS = 150_000_000
PNG_DEPTH_AT = 24  # offset in bytes of the bit depth in a PNG
# Pillow's errors for intact files that it cannot read: a codec that it was built without, or a rare variant.
_NOT_SUPPORTED = (
    "not available",
    "Unsupported BMP",
    "unknown pixel mode",
    "unable to determine J2K image mode",
)
_TIFF_COMPRESSIONS = 30_000  # vendor compressions have larger numbers; Pillow raises KeyError for them

# The operation that turns an image with this EXIF orientation (Exif 2.3, section 4.6.4) upright.
_UPRIGHT = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}


@dataclass(frozen=True)
class Photo:
    """One decoded photo.

    pixels: (H, W, 3) uint8 RGB, upright.
    mode: Pillow's name for the file's colour mode, such as RGB, L, P or CMYK.
    image_format: one of FORMATS, or MPO for a JPEG with several images.
    plain: the file is an upright 8-bit RGB JPEG or PNG with one image: every reader gets the same `pixels`.
    """

    pixels: NDArray[np.uint8]
    mode: str
    image_format: str
    plain: bool


def decode(data: bytes, *, max_pixels: int = MAX_PIXELS) -> NDArray[np.uint8]:
    """Return the image in `data` as (H, W, 3) uint8 RGB, upright; rules and errors as for `read_photo`."""
    return read_photo(data, max_pixels=max_pixels).pixels


def read_photo(data: bytes, *, max_pixels: int = MAX_PIXELS) -> Photo:
    """Decode a photo file completely.

    The EXIF orientation is applied and colours are converted as in `to_rgb`. Only the first frame of an
    animation is read. If ancillary chunks of a PNG are damaged, or too large for Pillow, only its pixels,
    transparency and orientation are read. Pillow's global settings are neither changed nor relied on.
    Thread-safe.

    Raises:
        ImageRejected: reason `empty`, `unsupported` (not one of FORMATS, or a variant that Pillow cannot
            read; the message names it), `too_large` (more than `max_pixels` pixels, read from the header
            before anything is decoded) or `corrupt` (truncated or damaged).
    """
    if not data:
        raise ImageRejected("empty", "The file has no bytes.")
    try:
        return _read(data, max_pixels)
    except ImageRejected as rejection:
        if rejection.reason != "corrupt":
            raise
        if name := _variant(data):
            raise _unsupported(name) from rejection
        if supported_format(data) != "PNG":
            raise
    return replace(_read(png.without_ancillary(data), max_pixels), plain=False)


def upright_pixels(image: Image.Image, *, max_pixels: int = MAX_PIXELS) -> NDArray[np.uint8]:
    """Return a Pillow image of any mode as (H, W, 3) uint8 RGB, turned by its EXIF orientation.

    Colours are converted as in `to_rgb`. The image is loaded if it is not yet.

    Raises:
        ImageRejected: reason `empty` (no pixels), `too_large`, `unsupported` or `corrupt`, as `read_photo`.
    """
    if not image.width * image.height:
        raise ImageRejected("empty", f"The image has no pixels: {image.width} x {image.height}.")
    _check_area(image, max_pixels)
    with _pillow_errors():
        return _upright(image)[0]


def _read(data: bytes, max_pixels: int) -> Photo:
    """Decode the bytes without any repair."""
    with _pillow_errors():
        image = _open(data, max_pixels)
        mode = image.mode
        pixels, turned = _upright(image)
        return Photo(pixels, mode, image.format or "", not turned and _plain(image, mode, data))


def _upright(image: Image.Image) -> tuple[NDArray[np.uint8], bool]:
    """Return the pixels of an image, upright, and whether it had to be turned."""
    image.load()
    turn = _UPRIGHT.get(_orientation(image))
    return to_rgb(image if turn is None else image.transpose(turn)), turn is not None


@contextmanager
def _pillow_errors() -> Iterator[None]:
    """Raise what Pillow raises as ImageRejected."""
    try:
        yield
    except ImageRejected:
        raise
    except (Image.DecompressionBombError, Image.DecompressionBombWarning, MemoryError) as error:
        raise ImageRejected("too_large", f"Decoding would take too much memory: {error}") from error
    except Exception as error:  # Pillow's readers raise nearly anything on damaged bytes
        if _lacks_support(error):
            raise _unsupported(f"This variant of the format ({error})") from error
        raise ImageRejected("corrupt", f"The file is damaged or truncated: {error}") from error


def _check_area(image: Image.Image, max_pixels: int) -> None:
    if image.width * image.height > max_pixels:
        raise ImageRejected("too_large", f"{image.width} x {image.height} pixels, more than {max_pixels}.")


def _open(data: bytes, max_pixels: int) -> ImageFile.ImageFile:
    """Read the header; `Image.open` would apply a size limit of its own and warn."""
    name = supported_format(data)
    if name is None:
        raise _unsupported(foreign_format(data))
    factory, _ = Image.OPEN[name]
    image = factory(io.BytesIO(data), "")
    _check_area(image, max_pixels)
    if name == "JPEG" and not jpeg.has_end(data):
        raise ImageRejected("corrupt", "The JPEG has no end-of-image marker: it is truncated.")
    if name == "PNG" and (kind := png.damaged_critical_chunk(data)):
        raise ImageRejected("corrupt", f"The file is damaged: the checksum of a chunk {kind} is wrong.")
    return image


def _variant(data: bytes) -> str | None:
    """Return the name of a variant of JPEG or PNG that Pillow may be unable to read, else None."""
    name = supported_format(data)
    if name == "JPEG":
        return jpeg.unusual_coding(data)
    return "Apple's CgBI variant of PNG" if name == "PNG" and png.is_apple_variant(data) else None


def _unsupported(name: str | None) -> ImageRejected:
    problem = f"{name} is not supported" if name else "The format is unknown"
    return ImageRejected("unsupported", f"{problem}. Use one of {', '.join(FORMATS)}.")


def _lacks_support(error: Exception) -> bool:
    """Return whether Pillow failed because it does not support the file, rather than because of damage."""
    cause = error.__cause__
    if isinstance(cause, KeyError) and cause.args and isinstance(cause.args[0], int):
        return cause.args[0] >= _TIFF_COMPRESSIONS
    return any(phrase in str(error) for phrase in _NOT_SUPPORTED)


def _orientation(image: Image.Image) -> int:
    """Return the EXIF orientation, 1 to 8, of a loaded image: loading turns TIFF files upright."""
    try:
        return int(image.getexif().get(ExifTags.Base.Orientation, 1))
    except (SyntaxError, ValueError, TypeError, LookupError, OSError, struct.error, UserWarning):
        return 1  # the pixels were decoded; damaged metadata is no reason to lose the photo


def _plain(image: ImageFile.ImageFile, mode: str, data: bytes) -> bool:
    """Return whether the upright file is an 8-bit RGB JPEG or PNG without transparency or animation."""
    if mode != "RGB" or image.has_transparency_data:
        return False
    if image.format == "PNG":
        return data[PNG_DEPTH_AT] == 8 and getattr(image, "n_frames", 1) == 1
    return image.format == "JPEG"
