"""Faces aligned as a model needs them, where the workspace stores them differently.

Boxes and landmarks are stored, so that no photo is searched again.
"""

import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from facenet.detection import DEFAULT_TEMPLATE, CropSettings, crop_face
from facenet.errors import DataInvalid
from facenet.images import decode, encode
from tasks.align.rows import raw_rows, read_images
from tasks.params.align import AlignParams
from tasks.shards import FACES_SCHEMA, read_table, shard_paths, write_shards

STORED = [name for name in FACES_SCHEMA.names if name != "image"]


@contextmanager
def aligned_for(
    align: Mapping[str, Any], params: AlignParams, *, aligned: Path, raw: Path, tick: Callable[[int], None]
) -> Iterator[tuple[Path, bool]]:
    """Yield a folder of faces as a model needs them, and whether they were aligned for it.

    Args:
        align: of the model's card.
        params: by which the workspace is aligned.
        aligned: the stored faces, which are used if they fit.
        raw: the photos.
        tick: called with the number of photos aligned since the last call.

    Raises:
        DataInvalid: the stored faces are not those of the photos.
    """
    crop = crop_of(align)
    if crop == crop_of(params.model_dump(mode="json")):
        yield aligned, False
        return
    with tempfile.TemporaryDirectory(prefix="facenet-audit-") as scratch:
        table = read_table(aligned, "faces", STORED)
        stored = {row["image_id"]: row for row in table.to_pylist()}
        rows = _faces(stored, raw, crop, params.image_format, tick)
        write_shards(Path(scratch), "faces", FACES_SCHEMA, rows, len(shard_paths(raw, "images")))
        yield Path(scratch), True


def crop_of(align: Mapping[str, Any]) -> CropSettings:
    """Return how faces are cropped, from the parameters of section align."""
    return CropSettings(
        method=align["method"],
        image_size=align["image_size"],
        margin=align["margin"],
        margin_in=align["margin_in"],
        template=align.get("template") or DEFAULT_TEMPLATE,
    )


def _faces(
    stored: Mapping[str, Any], raw: Path, crop: CropSettings, image_format: Any, tick: Callable[[int], None]
) -> Iterator[dict[str, Any]]:
    rows = [row for row in raw_rows(raw) if row.image_id in stored]
    if {row.image_id: row.identity for row in rows} != {k: face["identity"] for k, face in stored.items()}:
        raise DataInvalid(f"The stored faces are older than the photos in {raw}. Run `dvc repro align`.")
    for row, data in zip(rows, read_images(raw, rows), strict=True):
        face = stored[row.image_id]
        box, landmarks = (np.asarray(face[name], np.float32) for name in ("box", "landmarks"))
        image = crop_face(decode(data), box, landmarks, crop)
        tick(1)
        yield {**face, "image": encode(image, image_format)}
