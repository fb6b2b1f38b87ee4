"""A raw table of real faces, as ingest writes it."""

import hashlib
from collections.abc import Callable, Sequence
from pathlib import Path

import pandas as pd
import pytest

from tasks.params.align import AlignParams
from tasks.shards import RAW_SCHEMA, shard_count, sort_key, write_shards

Photo = tuple[str, str, bytes]  # identity, role, bytes
RawWriter = Callable[[Path, Sequence[Photo]], None]


@pytest.fixture
def write_raw() -> RawWriter:
    """Writes images-*.arrow and manifest.parquet to a folder."""

    def write(folder: Path, photos: Sequence[Photo]) -> None:
        rows = [
            {
                "image_id": hashlib.sha256(data).hexdigest(),
                "identity": name,
                "source": "test",
                "role": role,
                "image": data,
            }
            for name, role, data in photos
        ]
        shards = shard_count(sum(len(data) for *_, data in photos))
        rows.sort(key=lambda row: sort_key(row, shards))
        write_shards(folder, "images", RAW_SCHEMA, rows, shards)
        manifest = [
            {"image_id": r["image_id"], "path": f"{r['identity']}/photo", "status": "kept"} for r in rows
        ]
        pd.DataFrame(manifest).to_parquet(folder / "manifest.parquet")

    return write


@pytest.fixture
def params() -> AlignParams:
    return AlignParams(
        min_face=20,
        thresholds=(0.6, 0.7, 0.7),
        factor=0.709,
        max_side=4096,
        selection="center_weighted",
        method="crop",
        image_size=64,
        margin=16,
        margin_in="source",
        image_format="png",
    )
