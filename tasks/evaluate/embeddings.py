"""The embeddings of the faces that occur in pairs: each face embedded once, and kept as a table."""

import sys
import time
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from tqdm import tqdm

from facenet.atomic import atomic_path
from facenet.errors import DataInvalid
from facenet.images import decode
from facenet.model import Embedder
from tasks.shards import read_batches, read_table, shard_paths

FILE = "embeddings-0000.arrow"
EmbeddingRows = npt.NDArray[np.float32]


@dataclass(frozen=True, kw_only=True)
class Embeddings:
    """The embeddings of N faces, in the order of the face table.

    image_ids: N names of photos. faces, flipped: (N, E) of the face and of its mirror image, if asked for.
    seconds: the time it took to read, decode and embed them.
    """

    image_ids: tuple[str, ...]
    faces: EmbeddingRows
    flipped: EmbeddingRows | None
    seconds: float


def stored_faces(aligned: Path) -> dict[str, bool]:
    """Return for every photo with a stored face whether that is a fallback, the middle of a photo.

    Raises:
        DataInvalid: there are no faces at all.
    """
    if not shard_paths(aligned, "faces"):
        raise DataInvalid(f"There are no faces in {aligned}. Run `dvc repro align`.")
    table = read_table(aligned, "faces", ["image_id", "fallback"])
    return dict(zip(table["image_id"].to_pylist(), table["fallback"].to_pylist(), strict=True))


def read_faces(aligned: Path, wanted: Collection[str]) -> Iterator[tuple[str, npt.NDArray[np.uint8]]]:
    """Yield image_id and (S, S, 3) uint8 RGB of the wanted photos in the order of the table."""
    for batch in read_batches(aligned, "faces"):
        for row, image_id in enumerate(batch["image_id"].to_pylist()):
            if image_id in wanted:
                yield image_id, decode(batch["image"][row].as_py())


def embed_faces(embedder: Embedder, aligned: Path, wanted: Collection[str], *, flip: bool) -> Embeddings:
    """Embed the wanted photos, with a bar on standard error; one chunk of faces is in memory at a time."""
    image_ids: list[str] = []
    faces: list[EmbeddingRows] = []
    flipped: list[EmbeddingRows] = []
    stream, start = read_faces(aligned, wanted), time.perf_counter()
    with tqdm(total=len(wanted), desc="embed", unit="image", mininterval=1, file=sys.stderr) as bar:
        while chunk := list(islice(stream, embedder.batch_size)):
            pixels = np.stack([image for _, image in chunk])
            image_ids += [image_id for image_id, _ in chunk]
            faces.append(embedder.embed(pixels))
            if flip:
                flipped.append(embedder.embed_flipped(pixels))
            bar.update(len(chunk))
    return Embeddings(
        image_ids=tuple(image_ids),
        faces=np.concatenate(faces),
        flipped=np.concatenate(flipped) if flip else None,
        seconds=time.perf_counter() - start,
    )


def write_embeddings(folder: Path, embeddings: Embeddings, origin: dict[str, str]) -> Path:
    """Write the table image_id, embedding, embedding_flipped (null if not asked for), and return its path.

    `origin` becomes the metadata of the table: what the embeddings were made with.
    """
    width = embeddings.faces.shape[1]
    vectors = pa.list_(pa.float32(), width)
    columns: dict[str, Any] = {
        "image_id": pa.array(embeddings.image_ids, pa.string()),
        "embedding": _vectors(embeddings.faces),
        "embedding_flipped": pa.nulls(len(embeddings.image_ids), vectors),
    }
    if embeddings.flipped is not None:
        columns["embedding_flipped"] = _vectors(embeddings.flipped)
    table = pa.table(columns).replace_schema_metadata(origin)
    with atomic_path(folder / FILE) as temporary, pa.ipc.new_file(temporary, table.schema) as writer:
        writer.write_table(table)
    return folder / FILE


def _vectors(rows: EmbeddingRows) -> pa.Array:
    return pa.FixedSizeListArray.from_arrays(pa.array(rows.ravel()), rows.shape[1])
