"""Write data/raw from scratch: every file atomically, and nothing else is left in the folder."""

import shutil
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from facenet.atomic import atomic_path, write_text
from facenet.evaluation.pairs import Pair, format_pairs
from tasks.ingest.records import Record
from tasks.ingest.spool import Spool
from tasks.shards import RAW_SCHEMA, shard_paths, sort_key, write_shards

IMAGES = "images"
MANIFEST, PAIRS, ATTRIBUTES = "manifest.parquet", "pairs.parquet", "attributes.parquet"
DRAWN = "pairs.txt"  # generated pairs in LFW's format, for use elsewhere


@dataclass(frozen=True)
class Output:
    """The tables of the stage, its generated pairs, and the number of shards for its images."""

    manifest: pa.Table
    pairs: pa.Table
    attributes: pa.Table
    drawn: Sequence[Pair]
    shards: int


def write_output(raw: Path, output: Output, kept: Mapping[str, Record], spool: Spool) -> None:
    """Write the files to `raw` and remove all others; `kept`: the records of the image table by image_id."""
    write_shards(raw, IMAGES, RAW_SCHEMA, _rows(kept, spool, output.shards), output.shards)
    _write_table(raw / PAIRS, output.pairs)
    _write_table(raw / ATTRIBUTES, output.attributes)
    if output.drawn:
        write_text(raw / DRAWN, format_pairs(output.drawn))
    _write_table(raw / MANIFEST, output.manifest)
    ours = {path.name for path in shard_paths(raw, IMAGES)} | {PAIRS, ATTRIBUTES, MANIFEST}
    ours |= {DRAWN} if output.drawn else set()
    _remove_others(raw, ours)


def _remove_others(raw: Path, ours: Collection[str]) -> None:
    for path in sorted(raw.iterdir()):
        if path.name in ours:
            continue
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        else:
            path.unlink()


def write_manifest(raw: Path, manifest: pa.Table) -> None:
    """Write the manifest alone: no photo is usable, and it has the reasons."""
    _write_table(raw / MANIFEST, manifest)
    _remove_others(raw, {MANIFEST})


def _rows(kept: Mapping[str, Record], spool: Spool, shards: int) -> Iterator[dict[str, Any]]:
    rows = [
        {"image_id": key, "identity": r.identity, "source": r.source, "role": r.role}
        for key, r in kept.items()
    ]
    for row in sorted(rows, key=lambda row: sort_key(row, shards)):
        yield {**row, "image": spool.read(str(row["image_id"]))}


def _write_table(path: Path, table: pa.Table) -> None:
    with atomic_path(path) as temporary:
        pq.write_table(table, temporary)
