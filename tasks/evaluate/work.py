"""The embedding of stored faces by a worker."""

from collections.abc import Collection, Iterator, Sequence
from itertools import groupby
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from facenet.embedder import Embedder, load_embedder
from facenet.images import decode
from tasks.shards import shard_paths

Embedding = npt.NDArray[np.float32]


class FaceLocation(NamedTuple):
    """The location of a face in the face table."""

    image_id: str
    file: str
    batch: int
    offset: int


class Worker:
    """Embeds the faces at given locations; the result of a face depends only on the face."""

    def __init__(self, embedder: Embedder, aligned: Path, flip: bool) -> None:
        self._embedder, self._aligned, self._flip = embedder, aligned, flip

    def __call__(self, places: Sequence[FaceLocation]) -> list[tuple[Embedding, Embedding | None]]:
        """Return the (E,) embedding of each face and of its mirror image, None unless requested."""
        pixels = np.stack(list(read_locations(self._aligned, places)))
        faces = self._embedder.embed(pixels)
        flipped = self._embedder.embed_flipped(pixels) if self._flip else [None] * len(faces)
        return list(zip(faces, flipped, strict=True))


def load_worker(
    weights: Path, card: Path, *, device: str, precision: str, batch_size: int, aligned: Path, flip: bool
) -> Worker:
    """Return a worker in this or another process, on any machine that sees the same files."""
    embedder, _ = load_embedder(weights, card, device=device, batch_size=batch_size, precision=precision)
    return Worker(embedder, aligned, flip)


def find_locations(aligned: Path, photos: Collection[str]) -> list[FaceLocation]:
    """Return the face locations of photos in the order of the table."""
    chosen = set(photos)  # a list would be searched once per stored face
    return [
        FaceLocation(image_id, path.name, number, offset)
        for path in shard_paths(aligned, "faces")
        for number, image_ids in enumerate(_image_ids(path))
        for offset, image_id in enumerate(image_ids)
        if image_id in chosen
    ]


def read_locations(aligned: Path, places: Sequence[FaceLocation]) -> Iterator[npt.NDArray[np.uint8]]:
    """Yield the (S, S, 3) uint8 RGB face at each location; one batch is in memory at a time."""
    yield from map(decode, read_files(aligned, places))


def read_files(aligned: Path, places: Sequence[FaceLocation]) -> Iterator[bytes]:
    """Yield the stored bytes of the face at each location; one batch is in memory at a time."""
    for (name, number), group in groupby(places, key=lambda place: (place.file, place.batch)):
        with pa.memory_map(str(aligned / name)) as file, pa.ipc.open_file(file) as reader:
            images = reader.get_batch(number).column("image")
            for place in group:
                yield images[place.offset].as_py()


def _image_ids(path: Path) -> Iterator[list[str]]:
    options = pa.ipc.IpcReadOptions(included_fields=[0])
    with pa.memory_map(str(path)) as file, pa.ipc.open_file(file, options=options) as reader:
        for number in range(reader.num_record_batches):
            yield reader.get_batch(number).column("image_id").to_pylist()
