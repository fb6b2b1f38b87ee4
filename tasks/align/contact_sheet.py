"""A contact sheet of detections: accepted and rejected photos with boxes, landmarks and probabilities.

The photos are sampled by image_id, a digest of their bytes, so that every run shows the same ones.
"""

import heapq
from collections.abc import Iterable, Mapping
from pathlib import Path
from sys import maxsize

import numpy as np
from PIL import Image, ImageDraw

from facenet.atomic import atomic_path
from facenet.detection import Faces, select_face
from facenet.errors import ImageRejected
from facenet.images import decode
from tasks.align.detection_cache import DetectionCache
from tasks.align.rows import RawRow, read_images

COLUMNS, SIDE, CAPTION = 8, 180, 28  # photos per row; side of a photo and height of its caption in pixels
KEPT, WITHOUT = 32, 16  # maximum number of photos with a face, and of photos rejected or without one
CHOSEN, OTHER, POINT, REJECTED = "#00d040", "#ffc000", "#ff3060", "#d00000"


def write_contact_sheet(
    path: Path,
    *,
    rows: list[RawRow],
    rejected: Mapping[str, str],
    faces: DetectionCache,
    raw: Path,
    selection: str,
) -> None:
    """Draw a sample of photos with a face, then of those without, and write it to `path` as PNG.

    The selected face is green, others are yellow. Captions give identity and probability or reject reason.
    """
    without = [row for row in rows if row.image_id in rejected or not _found(faces, row)]
    missing = {row.image_id for row in without}
    shown = _sample((row for row in rows if row.image_id not in missing), KEPT) + _sample(without, WITHOUT)
    sheet = Image.new("RGB", (COLUMNS * SIDE, -(-len(shown) // COLUMNS) * (SIDE + CAPTION)), "white")
    for number, row in enumerate(shown):
        tile = _tile(row, raw, _found(faces, row), rejected.get(row.image_id), selection)
        sheet.paste(tile, (number % COLUMNS * SIDE, number // COLUMNS * (SIDE + CAPTION)))
    with atomic_path(path) as temporary:
        sheet.save(temporary, "PNG")


def _sample(rows: Iterable[RawRow], count: int) -> list[RawRow]:
    return heapq.nsmallest(count, rows, key=lambda row: row.image_id)


def _found(faces: DetectionCache, row: RawRow) -> Faces:
    return faces.get(row.image_id) or Faces()


def _tile(row: RawRow, raw: Path, found: Faces, reason: str | None, selection: str) -> Image.Image:
    """Return one photo, scaled to fit, above its caption."""
    tile = Image.new("RGB", (SIDE, SIDE + CAPTION), "white")
    draw = ImageDraw.Draw(tile)
    text = reason or ("no face: centre" if not len(found) else f"{len(found)} found")
    try:
        photo = Image.fromarray(decode(next(read_images(raw, [row])), max_pixels=maxsize))
        scale = SIDE / max(photo.size)
        tile.paste(
            photo.resize([max(1, round(side * scale)) for side in photo.size], Image.Resampling.BILINEAR)
        )
        if len(found):
            chosen = select_face(found, *photo.size, selection)
            _draw_faces(draw, found, chosen, scale)
            text = f"p {found.probabilities[chosen]:.4f} of {text}"
    except ImageRejected:
        draw.line((0, 0, SIDE, SIDE), REJECTED)  # the caption gives the reason
    draw.rectangle((0, SIDE, SIDE, SIDE + CAPTION), fill="white")
    draw.text((3, SIDE + 1), row.identity[:30], "black")
    draw.text((3, SIDE + 14), text, REJECTED if reason else "black")
    return tile


def _draw_faces(draw: ImageDraw.ImageDraw, found: Faces, chosen: int, scale: float) -> None:
    for number, (box, points) in enumerate(zip(found.boxes * scale, found.landmarks * scale, strict=True)):
        x0, y0, x1, y1 = box.tolist()
        draw.rectangle(
            (x0, y0, max(x0, x1), max(y0, y1)), outline=CHOSEN if number == chosen else OTHER, width=2
        )
        for x, y in points[np.isfinite(points).all(axis=1)].tolist():  # none with align.method none
            draw.ellipse((x - 2, y - 2, x + 2, y + 2), fill=POINT)
