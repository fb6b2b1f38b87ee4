"""A cache of embeddings, reused where nothing that determines them has changed.

DVC empties data/embeddings before it runs the stage, so the cache is elsewhere: one file per way of
embedding, one row per stored face, keyed by the digest of its bytes. Pairs, distances and folds are not part
of the key, so a change of the protocol embeds nothing again.
"""

import hashlib
import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from itertools import repeat
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from facenet.atomic import atomic_path
from facenet.digests import code_digest, value_digest
from facenet.model import ModelCard
from tasks.evaluate.embeddings import EmbeddingRows, Embeddings, embed_faces, vectors
from tasks.evaluate.work import FaceLocation, Worker, read_files

# The code that determines the embeddings of tasks.evaluate.work, and the libraries it computes with.
CODE = (
    "facenet.devices",
    "facenet.embedder",
    "facenet.images",
    "facenet.memory",
    "facenet.model",
    "facenet.networks",
    "facenet.standardisation",
    "tasks.evaluate.work",
    "tasks.shards",
)
LIBRARIES = ("numpy", "pillow", "torch")
FILES = 4  # stored: the current model, the champion, and another precision of each

logger = logging.getLogger(__name__)


def embedding_key(card: ModelCard, *, precision: str, device: str, mirrored: bool) -> str:
    """Return the cache key of a way of embedding: under one key, equal faces have equal embeddings."""
    return _digest(
        weights=card.weights_sha256,
        network=asdict(card.network),
        standardisation=card.standardisation,
        precision=precision,
        device=device,
        mirrored=mirrored,
        code=code_digest(CODE, LIBRARIES),
    )


def embed_cached(
    make_worker: Callable[[], Worker],
    places: Sequence[FaceLocation],
    rows: int,
    *,
    aligned: Path,
    folder: Path,
    key: str,
) -> tuple[Embeddings, int]:
    """Return the embeddings of the faces at `places`, and how many of them had to be computed.

    Those cached in `folder` under `key` are read; the others are embedded, `rows` per job, and cached.
    """
    path = folder / f"{key}.arrow"
    digests = face_digests(aligned, places)
    cached = _read(path)
    missing = [row for row, digest in enumerate(digests) if digest not in cached]
    seconds = 0.0
    if missing:
        new = [digests[row] for row in missing]
        computed = embed_faces(make_worker, [places[row] for row in missing], new, rows)
        seconds, flips = computed.seconds, repeat(None) if computed.flipped is None else computed.flipped
        cached |= zip(new, zip(computed.faces, flips, strict=False), strict=True)
        _write(path, cached)
    faces, flipped = zip(*(cached[digest] for digest in digests), strict=True)
    embedded = Embeddings(
        image_ids=tuple(place.image_id for place in places),
        digests=tuple(digests),
        faces=np.stack(faces),
        flipped=None if flipped[0] is None else np.stack(flipped),
        seconds=seconds,
    )
    return embedded, len(missing)


def face_digests(aligned: Path, places: Sequence[FaceLocation]) -> list[bytes]:
    """Return the sha256 of the stored bytes of each face."""
    return [hashlib.sha256(data).digest() for data in read_files(aligned, places)]


def _read(path: Path) -> dict[bytes, tuple[EmbeddingRows, EmbeddingRows | None]]:
    if not path.exists():
        return {}
    try:
        with pa.OSFile(str(path)) as file, pa.ipc.open_file(file) as reader:
            table = reader.read_all()
    except pa.ArrowInvalid as error:
        logger.warning("%s cannot be read (%s): its faces are embedded again", path, error)
        return {}
    flipped = table["embedding_flipped"]
    columns = [_rows(table["embedding"]), [None] * len(table) if flipped.null_count else _rows(flipped)]
    return dict(zip(table["face_sha256"].to_pylist(), zip(*columns, strict=True), strict=True))


def _rows(column: pa.ChunkedArray) -> EmbeddingRows:
    values = column.combine_chunks()
    return np.asarray(values.flatten().to_numpy(zero_copy_only=False)).reshape(len(values), -1)


def _write(path: Path, cached: Mapping[bytes, tuple[EmbeddingRows, EmbeddingRows | None]]) -> None:
    """Write all cached rows in the order of their digests, and delete the oldest files."""
    digests = sorted(cached)
    faces, flipped = zip(*(cached[digest] for digest in digests), strict=True)
    columns = {"face_sha256": pa.array(digests, pa.binary(32)), **vectors(faces, flipped)}
    table = pa.table(columns)
    with atomic_path(path) as temporary, pa.ipc.new_file(temporary, table.schema) as writer:
        writer.write_table(table)
    newest = sorted(path.parent.glob("*.arrow"), key=lambda file: file.stat().st_mtime, reverse=True)
    for stale in newest[FILES:]:
        stale.unlink()


def _digest(**parts: Any) -> str:
    return value_digest(parts)[:16]
