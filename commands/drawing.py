"""Draw detected faces into a copy of their photo: box, landmarks and probability."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from facenet.atomic import write_bytes
from facenet.detection import Faces
from facenet.images import encode

BOX, POINT = "#00d040", "#ff3060"
LINES = 300  # line widths in the longer side of a photo


def draw_faces(pixels: NDArray[np.uint8], faces: Faces) -> NDArray[np.uint8]:
    """Return a copy of `pixels` uint8 (H, W, 3) with each face in a green box below its probability.

    Lines and text scale with the photo, so that they are visible when it is shown as a whole.
    """
    image = Image.fromarray(pixels)
    draw = ImageDraw.Draw(image)
    line = max(1, round(max(image.size) / LINES))
    font = ImageFont.load_default(size=max(10, 6 * line))
    for box, probability, points in zip(faces.boxes, faces.probabilities, faces.landmarks, strict=True):
        x0, y0, x1, y1 = box.tolist()
        draw.rectangle((x0, y0, x1, y1), outline=BOX, width=line)
        draw.text((x0, y0), f"{probability:.4f}", BOX, font=font, anchor="lb")
        for x, y in points.tolist():
            draw.ellipse((x - line, y - line, x + line, y + line), fill=POINT)
    return np.asarray(image)


def write_drawing(path: Path, pixels: NDArray[np.uint8], faces: Faces) -> None:
    """Write the result of `draw_faces` to `path` as PNG and create its folders.

    Raises:
        StorageFailed: the disk is full or the folder is not writable.
    """
    write_bytes(path, encode(draw_faces(pixels, faces), "png"))
