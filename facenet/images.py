"""Decode photos of any supported format to upright 8-bit RGB, or reject them; encode pixels."""

import io
import struct
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from PIL import ExifTags, Image, ImageFile

from facenet.errors import ImageRejected

MAX_PIXELS = 150_000_000
# Excluded on purpose: EPS, which would run Ghostscript, and formats without a signature.
FORMATS = ("JPEG", "PNG", "WEBP", "AVIF", "GIF", "BMP", "TIFF", "PPM", "JPEG2000")
SIGNATURE_BYTES = 16
JPEG_SCAN, JPEG_END = b"\xff\xda", b"\xff\xd9"
PNG_DEPTH_AT = 24  # offset in bytes of the bit depth in a PNG
JPEG_QUALITY = 95
PNG_LEVEL = 1  # four times as fast as the default of 6, files a few per cent larger
WEBP_EFFORT = {"method": 0, "quality": 0}  # fastest; in lossless mode, quality means effort

ImageFormat = Literal["webp", "png", "jpeg"]  # formats that `encode` writes

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
_DEEP_MODES = ("I", "F", "I;16", "I;16L", "I;16B", "I;16N")

Image.init()  # registers the readers of FORMATS, which makes reading them from several threads safe


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

    The EXIF orientation is applied. Transparent pixels are composited over white. 16-bit grey values, and
    32-bit integers that fit in 16 bits, are scaled by 255/65535; floats by 255 if within 0..1, by 1 if within
    0..255; all others linearly from minimum to maximum. Only the first frame of an animation is read. Colour
    profiles are ignored. Pillow's global settings are neither changed nor relied on. Thread-safe.

    Raises:
        ImageRejected: reason `empty`, `unsupported` (not one of FORMATS), `too_large` (more than `max_pixels`
            pixels, read from the header before anything is decoded) or `corrupt` (truncated or damaged).
    """
    if not data:
        raise ImageRejected("empty", "The file has no bytes.")
    try:
        image = _open(data, max_pixels)
        mode = image.mode
        image.load()
        turn = _UPRIGHT.get(_orientation(image))
        pixels = _rgb(image if turn is None else image.transpose(turn))
    except ImageRejected:
        raise
    except (Image.DecompressionBombError, Image.DecompressionBombWarning, MemoryError) as error:
        raise ImageRejected("too_large", f"Decoding would take too much memory: {error}") from error
    except Exception as error:  # Pillow's readers raise nearly anything on damaged bytes
        raise ImageRejected("corrupt", f"The file is damaged or truncated: {error}") from error
    return Photo(pixels, mode, image.format or "", turn is None and _plain(image, mode, data))


def _open(data: bytes, max_pixels: int) -> ImageFile.ImageFile:
    """Read the header; `Image.open` would apply a size limit of its own and warn."""
    for name in FORMATS:
        factory, accept = Image.OPEN.get(name, (None, None))
        if factory is not None and accept is not None and accept(data[:SIGNATURE_BYTES]) is True:
            image = factory(io.BytesIO(data), "")
            if image.width * image.height > max_pixels:
                raise ImageRejected(
                    "too_large", f"{image.width} x {image.height} pixels, more than {max_pixels}."
                )
            if name == "JPEG" and not _jpeg_ends(data):
                raise ImageRejected("corrupt", "The JPEG has no end-of-image marker: it is truncated.")
            return image
    raise ImageRejected("unsupported", f"The file is not one of {', '.join(FORMATS)}.")


def _jpeg_ends(data: bytes) -> bool:
    """Return whether an end marker follows the first scan; libjpeg decodes a zero-filled tail as pixels.

    The segments before the scan are skipped, since a thumbnail in them has its own end marker. If they cannot
    be followed, the decision is left to the decoder: True.
    """
    place = 2
    while data[place : place + 2] != JPEG_SCAN:
        if data[place : place + 1] != b"\xff" or place + 4 > len(data):
            return True
        filled = data[place + 1] == 0xFF
        place += 1 if filled else 2 + int.from_bytes(data[place + 2 : place + 4])
    return data.find(JPEG_END, place) >= 0


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


def _rgb(image: Image.Image) -> NDArray[np.uint8]:
    if image.mode in _DEEP_MODES:
        return np.repeat(_eight_bits(np.asarray(image))[:, :, None], 3, axis=2)
    if image.has_transparency_data:
        over = image.convert("RGBA")
        image = Image.alpha_composite(Image.new("RGBA", over.size, "white"), over)
    return np.array(image if image.mode == "RGB" else image.convert("RGB"))  # convert() would copy again


def _eight_bits(values: NDArray[Any]) -> NDArray[np.uint8]:
    """Scale a grey plane of any number type to 0..255 as in `read_photo`; non-finite values become 0."""
    plane = np.nan_to_num(values.astype(np.float64), nan=0.0, posinf=0.0, neginf=0.0)
    low, high = float(plane.min()), float(plane.max())
    whole = 1.0 if high <= 1 else 255.0
    if values.dtype.kind != "f":
        whole = 65535.0
    if low < 0 or high > whole:
        plane, whole = plane - low, high - low or 1.0
    return np.rint(plane * (255.0 / whole)).astype(np.uint8)


def encode(pixels: NDArray[np.uint8], image_format: ImageFormat) -> bytes:
    """Encode (H, W, 3) uint8 RGB `pixels`; the same pixels always give the same bytes.

    WebP and PNG are lossless; JPEG uses quality 95 and full colour resolution.

    Raises:
        ValueError: `pixels` has another shape or type.
    """
    if pixels.dtype != np.uint8 or pixels.ndim != 3 or pixels.shape[2] != 3 or pixels.size == 0:
        raise ValueError(f"pixels must be (H, W, 3) uint8, not {pixels.shape} {pixels.dtype}")
    buffer = io.BytesIO()
    image = Image.fromarray(pixels)
    if image_format == "webp":
        image.save(buffer, "WEBP", lossless=True, **WEBP_EFFORT)
    elif image_format == "png":
        image.save(buffer, "PNG", compress_level=PNG_LEVEL)
    else:
        image.save(buffer, "JPEG", quality=JPEG_QUALITY, subsampling=0)
    return buffer.getvalue()
