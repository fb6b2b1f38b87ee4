"""Encode pixels, such that the same pixels always give the same bytes."""

import io
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from PIL import Image

JPEG_QUALITY = 95
PNG_LEVEL = 1  # four times as fast as the default of 6, files a few per cent larger
WEBP_EFFORT = {"method": 0, "quality": 0}  # fastest; in lossless mode, quality means effort

ImageFormat = Literal["webp", "png", "jpeg"]


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
