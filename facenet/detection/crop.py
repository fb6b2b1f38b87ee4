"""Crop a face from a photo: by its box and a margin, rotated upright by its landmarks, or the whole photo."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from facenet.detection.integral import Floats, Pixels
from facenet.detection.templates import TEMPLATES
from facenet.errors import ParamsInvalid

FALLBACK_SIDE = 0.5  # of the photo's shorter side: about what a face occupies in LFW and CelebA photos
DEFAULT_TEMPLATE = "arcface"  # of parameters and model cards from before there were several


@dataclass(frozen=True)
class CropSettings:
    """How a face is cropped.

    method: `crop` takes the box plus the margin and resizes it to a square, ignoring the aspect ratio;
        `similarity` translates, rotates and scales the five landmarks onto `template`, with the margin around
        it and black outside the photo; `none` takes the centre square of the photo, without
        detection, and resizes it only if its side is not `image_size`.
    image_size: pixels, side of the result.
    margin: total pixels added, half on each side.
    margin_in: `source`, pixels of the photo (davidsandberg/facenet), or `output`, pixels of the result
        (facenet-pytorch: margin * side / (image_size - margin) source pixels).
    template: one of TEMPLATES, for method `similarity`; others ignore it.

    Raises:
        ParamsInvalid: a value is out of range, or an output margin leaves no room for the face.
    """

    method: Literal["crop", "similarity", "none"] = "crop"
    image_size: int = 160
    margin: float = 0
    margin_in: Literal["source", "output"] = "source"
    template: str = DEFAULT_TEMPLATE

    def __post_init__(self) -> None:
        if self.method not in ("crop", "similarity", "none") or self.margin_in not in ("source", "output"):
            raise ParamsInvalid(f"{self}: method is crop, similarity or none, margin_in is source or output.")
        if self.template not in TEMPLATES:
            raise ParamsInvalid(f"{self}: template is one of {', '.join(TEMPLATES)}.")
        if self.method == "none" and self.margin:
            raise ParamsInvalid(f"{self}: method none uses whole photos, so margin must be 0.")
        if self.image_size < 1 or self.margin < 0:
            raise ParamsInvalid(f"{self}: image_size is at least 1 and margin at least 0.")
        if self.margin_in == "output" and self.margin >= self.image_size:
            raise ParamsInvalid(f"{self}: a margin in output pixels must be smaller than image_size.")


def fallback_box(width: int, height: int) -> Floats:
    """Return the box (4,) for a photo without a detected face: a central square of half the shorter side."""
    half = max(1.0, min(width, height) * FALLBACK_SIDE) / 2
    x, y = width / 2, height / 2
    return np.array([x - half, y - half, x + half, y + half], dtype=np.float32)


def central_square(width: int, height: int) -> Floats:
    """Return the box (4,) of the largest central square; an odd remainder goes right and bottom."""
    side = min(width, height)
    left, top = (width - side) // 2, (height - side) // 2
    return np.array([left, top, left + side, top + side], dtype=np.float32)


def crop_face(pixels: Pixels, box: Floats, landmarks: Floats, settings: CropSettings) -> Pixels:
    """Return the face uint8 (S, S, 3) cropped from `pixels` uint8 (H, W, 3).

    box (4,) and landmarks (5, 2) are in source pixels and may lie outside the photo. If the landmarks are not
    finite or all coincide, no warp exists and the box is cropped instead.
    """
    if settings.method == "similarity" and np.isfinite(landmarks).all() and np.ptp(landmarks, axis=0).any():
        return _warp(pixels, landmarks, settings)
    left, top, right, bottom = _with_margin(box, pixels.shape[1], pixels.shape[0], settings)
    side = settings.image_size
    region = Image.fromarray(pixels[top:bottom, left:right])  # sliced first: Pillow would copy the photo
    return np.asarray(region.resize((side, side), Image.Resampling.BILINEAR))


def _with_margin(box: Floats, width: int, height: int, settings: CropSettings) -> tuple[int, int, int, int]:
    """Add the margin, clip to the photo and truncate to integers; at least one pixel remains."""
    x0, y0, x1, y1 = (float(edge) for edge in box)
    margin_x = margin_y = settings.margin
    if settings.margin_in == "output":
        scale = settings.margin / (settings.image_size - settings.margin)
        margin_x, margin_y = scale * (x1 - x0), scale * (y1 - y0)
    left, right = _clipped(x0 - margin_x / 2, x1 + margin_x / 2, width)
    top, bottom = _clipped(y0 - margin_y / 2, y1 + margin_y / 2, height)
    return left, top, right, bottom


def _clipped(low: float, high: float, length: int) -> tuple[int, int]:
    first = int(min(max(low, 0), length - 1))
    return first, max(first + 1, int(min(max(high, 0), length)))


def _warp(pixels: Pixels, landmarks: Floats, settings: CropSettings) -> Pixels:
    """Sample the photo through the least-squares similarity that maps the landmarks to the template.

    Points are complex numbers, so that a similarity without reflection is z -> scale * z + shift. A large
    photo is first reduced by an integer factor to avoid aliasing.
    """
    side, template = settings.image_size, TEMPLATES[settings.template].scaled(settings.image_size)
    source = landmarks.astype(np.float64) @ (1, 1j)
    tight = similarity(source, template)[0]
    face = 1 - settings.margin / side  # fraction of the side that the face occupies
    if settings.margin_in == "source":
        face = 1 / (1 + settings.margin * abs(tight) / side)
    centre = side / 2 * (1 + 1j)
    target = (template - centre) * face + centre
    scale, shift = similarity(source, target)
    factor = max(1, int(1 / abs(scale)))
    image = Image.fromarray(pixels).reduce(factor)
    inverse, origin = 1 / scale / factor, -shift / scale / factor
    matrix = (inverse.real, -inverse.imag, origin.real, inverse.imag, inverse.real, origin.imag)
    return np.asarray(
        image.transform((side, side), Image.Transform.AFFINE, matrix, Image.Resampling.BILINEAR)
    )


def similarity(
    source: NDArray[np.complexfloating], target: NDArray[np.complexfloating]
) -> tuple[complex, complex]:
    """Return the least-squares scale and shift from source to target (Umeyama, PAMI 1991)."""
    centred = source - source.mean()
    scale = np.vdot(centred, target - target.mean()) / np.vdot(centred, centred)
    return complex(scale), complex(target.mean() - scale * source.mean())
