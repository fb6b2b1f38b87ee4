"""The embeddings of the faces that occur in pairs: each face is embedded once and stored in a table."""

import sys
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from tqdm import tqdm

from facenet.atomic import atomic_path
from facenet.errors import DataInvalid
from tasks.evaluate.work import FaceLocation, Worker
from tasks.shards import read_table, shard_paths
from tasks.workers import run_jobs

FILE = "embeddings-0000.arrow"
EmbeddingRows = npt.NDArray[np.float32]


@dataclass(frozen=True, kw_only=True)
class Embeddings:
    """The embeddings of N faces, in the order of the face table.

    image_ids: N photos. digests: N sha256 of the stored bytes of their faces.
    faces, flipped: (N, E) of the face and of its mirror image; the latter is None unless requested.
    seconds: the time taken to read, decode and embed them.
    """

    image_ids: tuple[str, ...]
    digests: tuple[bytes, ...]
    faces: EmbeddingRows
    flipped: EmbeddingRows | None
    seconds: float


def stored_faces(aligned: Path) -> dict[str, bool]:
    """Return by image_id whether a stored face is a fallback: the centre of a photo without a detected face.

    Raises:
        DataInvalid: there are no stored faces.
    """
    if not shard_paths(aligned, "faces"):
        raise DataInvalid(f"There are no faces in {aligned}. Run `dvc repro align`.")
    table = read_table(aligned, "faces", ["image_id", "fallback"])
    return dict(zip(table["image_id"].to_pylist(), table["fallback"].to_pylist(), strict=True))


def embed_faces(
    make_worker: Callable[[], Worker], places: Sequence[FaceLocation], digests: Sequence[bytes], rows: int
) -> Embeddings:
    """Embed the faces at `places` with their `digests`, `rows` per job, with a progress bar on stderr.

    The result is the same in this process and on a Dask cluster: every face passes through the network in a
    chunk of the same shape.
    """
    embedded: list[tuple[EmbeddingRows, EmbeddingRows | None]] = []
    jobs, start = (places[at : at + rows] for at in range(0, len(places), rows)), time.perf_counter()
    with tqdm(total=len(places), desc="embed", unit="image", mininterval=1, file=sys.stderr) as bar:
        for job, results in run_jobs(make_worker, jobs, 1, split=_split, name=_name):
            embedded += results
            bar.update(len(job))
    faces, flipped = zip(*embedded, strict=True)
    return Embeddings(
        image_ids=tuple(place.image_id for place in places),
        digests=tuple(digests),
        faces=np.stack(faces),
        flipped=None if flipped[0] is None else np.stack(flipped),
        seconds=time.perf_counter() - start,
    )


def _split(job: Sequence[FaceLocation]) -> list[Sequence[FaceLocation]]:
    return [[place] for place in job]


def _name(job: Sequence[FaceLocation]) -> str:
    return f"the faces {job[0].image_id} to {job[-1].image_id} in {job[0].file}"


def write_embeddings(folder: Path, embeddings: Embeddings, origin: dict[str, str]) -> Path:
    """Write the table image_id, embedding, embedding_flipped (null unless requested), and return its path.

    `origin` is stored as the table's metadata: how the embeddings were computed.
    """
    flipped: Iterable[EmbeddingRows | None] = embeddings.flipped if embeddings.flipped is not None else ()
    columns = {"image_id": pa.array(embeddings.image_ids, pa.string()), **vectors(embeddings.faces, flipped)}
    table = pa.table(columns).replace_schema_metadata(origin)
    with atomic_path(folder / FILE) as temporary, pa.ipc.new_file(temporary, table.schema) as writer:
        writer.write_table(table)
    return folder / FILE


def vectors(faces: Iterable[EmbeddingRows], flipped: Iterable[EmbeddingRows | None]) -> dict[str, pa.Array]:
    """Return the columns embedding and embedding_flipped of N rows (E,); the latter null if all are None."""
    rows = np.stack(list(faces))
    mirrored = [row for row in flipped if row is not None]
    column = (
        _column(np.stack(mirrored))
        if mirrored
        else pa.nulls(len(rows), pa.list_(pa.float32(), rows.shape[1]))
    )
    return {"embedding": _column(rows), "embedding_flipped": column}


def _column(rows: EmbeddingRows) -> pa.Array:
    return pa.FixedSizeListArray.from_arrays(pa.array(rows.ravel()), rows.shape[1])
