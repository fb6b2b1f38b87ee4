"""Judge the bytes of one photo: a pure function, run in worker processes."""

from dataclasses import dataclass

from facenet.errors import ImageRejected
from facenet.images import encode, read_photo

USABLE = "kept"


@dataclass(frozen=True)
class Limits:
    """Limits on a photo.

    min_side: minimum pixels of the shorter side. max_pixels: maximum of width times height.
    """

    min_side: int
    max_pixels: int


@dataclass(frozen=True)
class Verdict:
    """The result for one photo.

    status: `kept`, or why it is rejected, with a sentence in `reason`. width, height: pixels of the upright
    image, None if it cannot be decoded. mode: Pillow's name for the colour mode of the file.
    png: the image as an 8-bit RGB PNG, or None if the original bytes can be stored or it is rejected.
    """

    status: str
    reason: str = ""
    width: int | None = None
    height: int | None = None
    mode: str | None = None
    png: bytes | None = None


def judge(data: bytes, limits: Limits) -> Verdict:
    """Decode a photo file and return the verdict. Never raises, whatever the bytes."""
    try:
        photo = read_photo(data, max_pixels=limits.max_pixels)
    except ImageRejected as rejection:
        return Verdict(rejection.reason, str(rejection))
    height, width, _ = photo.pixels.shape
    if min(width, height) < limits.min_side:
        reason = f"{width} x {height} pixels; ingest.min_side requires {limits.min_side}."
        return Verdict("too_small", reason, width, height, photo.mode)
    png = None if photo.plain else encode(photo.pixels, "png")
    return Verdict(USABLE, "", width, height, photo.mode, png)
