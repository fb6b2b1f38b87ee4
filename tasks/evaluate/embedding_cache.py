"""Embeddings of earlier runs, taken over where nothing that decides their bytes has changed.

DVC empties data/embeddings before it runs the stage, so they are kept in the cache: one file for each way of
embedding, one row for each stored face, found by the digest of its bytes. Pairs, distances and folds have no
say in it, so that a change of the protocol embeds nothing.
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

# What decides the embeddings that tasks.evaluate.work returns, and the libraries it computes with.
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
FILES = 4  # kept: the present model, the champion, and another precision of each

logger = logging.getLogger(__name__)


def embedding_key(card: ModelCard, *, precision: str, device: str, mirrored: bool) -> str:
    """Return the name of a way of embedding: faces embedded under it have the same embeddings."""
    return _digest(
        weights=card.weights_sha256,
        network=asdict(card.network),
        standardisation=card.standardisation,
        precision=precision,
        device=device,
        mirrored=mirrored,
        code=code_digest(CODE, LIBRARIES),
    )


def embed_or_take(
    make_worker: Callable[[], Worker],
    places: Sequence[FaceLocation],
    rows: int,
    *,
    aligned: Path,
    folder: Path,
    key: str,
) -> tuple[Embeddings, int]:
    """Return the embeddings of the faces at `places`, and how many of them had to be made.

    Those that `folder` keeps under `key` are read; the others are embedded, `rows` in a job, and kept.
    """
    path = folder / f"{key}.arrow"
    digests = face_digests(aligned, places)
    known = _read(path)
    missing = [row for row, digest in enumerate(digests) if digest not in known]
    seconds = 0.0
    if missing:
        new = [digests[row] for row in missing]
        made = embed_faces(make_worker, [places[row] for row in missing], new, rows)
        seconds, flips = made.seconds, repeat(None) if made.flipped is None else made.flipped
        known |= zip(new, zip(made.faces, flips, strict=False), strict=True)
        _keep(path, known)
    faces, flipped = zip(*(known[digest] for digest in digests), strict=True)
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


def _keep(path: Path, known: Mapping[bytes, tuple[EmbeddingRows, EmbeddingRows | None]]) -> None:
    """Write all that is known, in the order of the digests, and drop the files used longest ago."""
    digests = sorted(known)
    faces, flipped = zip(*(known[digest] for digest in digests), strict=True)
    columns = {"face_sha256": pa.array(digests, pa.binary(32)), **vectors(faces, flipped)}
    table = pa.table(columns)
    with atomic_path(path) as temporary, pa.ipc.new_file(temporary, table.schema) as writer:
        writer.write_table(table)
    newest = sorted(path.parent.glob("*.arrow"), key=lambda file: file.stat().st_mtime, reverse=True)
    for stale in newest[FILES:]:
        stale.unlink()


def _digest(**parts: Any) -> str:
    return value_digest(parts)[:16]
