"""Convert decoded images of any colour mode to 8-bit RGB."""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

_DEEP_MODES = ("I", "F", "I;16", "I;16L", "I;16B", "I;16N")


def to_rgb(image: Image.Image) -> NDArray[np.uint8]:
    """Return a loaded image as (H, W, 3) uint8 RGB.

    Transparent pixels are composited over white. An alpha channel that is 0 everywhere is ignored: some
    programs leave it empty, in 32-bit BMP in particular. 16-bit grey values, and 32-bit integers that fit in
    16 bits, are scaled by 255/65535; floats by 255 if within 0..1, by 1 if within 0..255; all others linearly
    from minimum to maximum. Colour profiles are ignored.
    """
    if image.mode in _DEEP_MODES:
        return np.repeat(_eight_bits(np.asarray(image))[:, :, None], 3, axis=2)
    if image.has_transparency_data:
        over = image.convert("RGBA")
        if over.getchannel("A").getbbox() is None:
            over.putalpha(255)
        image = Image.alpha_composite(Image.new("RGBA", over.size, "white"), over)
    return np.array(image if image.mode == "RGB" else image.convert("RGB"))  # convert() would copy again


def _eight_bits(values: NDArray[Any]) -> NDArray[np.uint8]:
    """Scale a grey plane of any number type to 0..255 as in `to_rgb`; non-finite values become 0."""
    plane = np.nan_to_num(values.astype(np.float64), nan=0.0, posinf=0.0, neginf=0.0)
    low, high = float(plane.min()), float(plane.max())
    whole = 1.0 if high <= 1 else 255.0
    if values.dtype.kind != "f":
        whole = 65535.0
    if low < 0 or high > whole:
        plane, whole = plane - low, high - low or 1.0
    return np.rint(plane * (255.0 / whole)).astype(np.uint8)
