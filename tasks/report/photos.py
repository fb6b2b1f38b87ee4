"""The faces on the page: whether they may be shown, and their bytes inside it."""

import base64
import io
from collections.abc import Collection, Iterable
from pathlib import Path
from typing import Literal

import pyarrow as pa
import pyarrow.compute as pc
from PIL import Image

from facenet.images import decode
from tasks.params.sources import Source
from tasks.shards import read_table

Policy = Literal["auto", "always", "never"]
SIDE = 112  # maximum, in pixels
QUALITY = 82


def photos_allowed(policy: Policy, sources: Iterable[Source]) -> bool:
    """Return whether faces are shown: `auto` means only if every source is a public data set."""
    if policy == "auto":
        return all(source.public for source in sources)
    return policy == "always"


def data_uris(aligned: Path, photos: Collection[str]) -> dict[str, str]:
    """Return the stored faces of `photos` as small JPEG data URIs, by image_id; unknown ids are left out."""
    if not photos:
        return {}
    table = read_table(aligned, "faces", ["image_id", "image"])
    found = table.filter(pc.is_in(table["image_id"], value_set=pa.array(sorted(photos), pa.string())))
    return {row["image_id"]: _uri(row["image"]) for row in found.to_pylist()}


def _uri(stored: bytes) -> str:
    image = Image.fromarray(decode(stored))
    image.thumbnail((SIDE, SIDE), Image.Resampling.LANCZOS)
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", quality=QUALITY)
    return f"data:image/jpeg;base64,{base64.b64encode(buffer.getvalue()).decode()}"
