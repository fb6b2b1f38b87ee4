"""The verdict on the bytes of one photo: a pure function, run in worker processes."""

from dataclasses import dataclass

from facenet.errors import ImageRejected
from facenet.images import encode, read_photo

USABLE = "kept"


@dataclass(frozen=True)
class Limits:
    """What a photo must keep to.

    min_side: pixels of the shorter side, at least. max_pixels: width times height, at most.
    """

    min_side: int
    max_pixels: int


@dataclass(frozen=True)
class Verdict:
    """What was found out about one photo.

    status: `kept`, or why not; `reason` says it in a sentence. width, height: pixels of the upright picture,
    None if it could not be decoded. mode: Pillow's name of the colour mode in the file.
    png: the picture as an 8-bit RGB PNG, or None when the original bytes do as well or it is not kept.
    """

    status: str
    reason: str = ""
    width: int | None = None
    height: int | None = None
    mode: str | None = None
    png: bytes | None = None


def judge(data: bytes, limits: Limits) -> Verdict:
    """Decode a photo file and return the verdict; no bytes make it raise."""
    try:
        photo = read_photo(data, max_pixels=limits.max_pixels)
    except ImageRejected as rejection:
        return Verdict(rejection.reason, str(rejection))
    height, width, _ = photo.pixels.shape
    if min(width, height) < limits.min_side:
        reason = f"{width} x {height} pixels; ingest.min_side asks for {limits.min_side}."
        return Verdict("too_small", reason, width, height, photo.mode)
    png = None if photo.plain else encode(photo.pixels, "png")
    return Verdict(USABLE, "", width, height, photo.mode, png)
