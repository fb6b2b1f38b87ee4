"""A photo as a page shows it: upright, small, without metadata, inside the page itself."""

import base64
from dataclasses import dataclass

import numpy as np
from PIL import Image

from facenet.errors import ImageRejected
from facenet.images import decode, encode

SIDE = 800  # pixels of the longer side


@dataclass(frozen=True)
class PhotoView:
    """source: a data: URL. width, height: of the upright photo, whose pixels are the unit of its boxes."""

    source: str
    width: int
    height: int


def photo_view(content: bytes, *, max_pixels: int) -> PhotoView | None:
    """Return how to show a photo, None if it cannot be read."""
    try:
        pixels = decode(content, max_pixels=max_pixels)
    except ImageRejected:
        return None
    height, width = pixels.shape[:2]
    shown = Image.fromarray(pixels)
    shown.thumbnail((SIDE, SIDE))
    return PhotoView(f"data:image/jpeg;base64,{_encoded(shown)}", width, height)


def _encoded(image: Image.Image) -> str:
    return base64.b64encode(encode(np.asarray(image), "jpeg")).decode()
