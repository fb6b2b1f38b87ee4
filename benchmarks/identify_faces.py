"""The templates of all LFW faces, by a FaceModel as a user has it, or from an evaluated workspace."""

import sys
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from tqdm import tqdm

from benchmarks.stage import spread, write_photos
from facenet import FaceModel, PhotoError
from facenet.atomic import atomic_path
from facenet.errors import WeightsInvalid
from tasks.evaluate.embeddings import FILE
from tasks.shards import read_table

BATCH = 64  # photos per call
TIMED = 48  # photos embedded one by one for the time


@dataclass(frozen=True)
class Faces:
    """The faces of N photos.

    templates: (N, D), or the embeddings of a model that was not evaluated. names: (N,) their people. photos:
    number of files.
    """

    templates: npt.NDArray[np.float32]
    names: npt.NDArray[np.str_]
    photos: int


def lfw_faces(model: FaceModel, folder: Path) -> Faces:
    """Return the faces of LFW, embedded by `model` unless `folder` has them."""
    path = folder / f"lfw-{model.digest[:16]}.npz"
    if not path.exists():
        _embed(model, _photos(folder), path)
    with np.load(path, allow_pickle=False) as stored:
        return Faces(stored["templates"], stored["names"], int(stored["photos"]))


def evaluated_faces(model: FaceModel, workspace: Path) -> Faces:
    """Return the faces that the stage evaluate has embedded with this model in a workspace.

    Raises:
        WeightsInvalid: the embeddings are of another model, or this one was not evaluated.
    """
    table = pa.ipc.open_file((workspace / "data" / "embeddings" / FILE).read_bytes()).read_all()
    if (
        table.schema.metadata[b"weights_sha256"].decode() != model.card.weights_sha256
        or model.matcher is None
    ):
        raise WeightsInvalid(f"{workspace} has embeddings of another model than {model.origin}.")
    photos = read_table(workspace / "data" / "aligned", "faces", ["image_id", "identity", "fallback"])
    people = dict(zip(photos["image_id"].to_pylist(), photos["identity"].to_pylist(), strict=True))
    fallback = dict(zip(photos["image_id"].to_pylist(), photos["fallback"].to_pylist(), strict=True))
    ids = table["image_id"].to_pylist()
    found = np.array([not fallback[image_id] for image_id in ids])
    mirrored = _rows(table["embedding_flipped"]) if model.matcher.flip != "none" else None
    templates = model.matcher.templates(_rows(table["embedding"]), mirrored)
    return Faces(templates[found], np.array([people[image_id] for image_id in ids])[found], len(ids))


def _rows(column: pa.ChunkedArray) -> npt.NDArray[np.float32]:
    return np.stack(column.to_numpy())


def milliseconds_per_photo(model: FaceModel, folder: Path) -> tuple[float, float]:
    """Return the median time of a photo, from file to template, one by one and in a batch."""
    photos = spread(_photos(folder), TIMED)
    model.embed(photos[:2])  # compiles the detector's graphs
    single = []
    for photo in photos:
        began = time.perf_counter()
        model.embed([photo])
        single.append(time.perf_counter() - began)
    began = time.perf_counter()
    model.embed(photos)
    return 1000 * float(np.median(single)), 1000 * (time.perf_counter() - began) / len(photos)


def _photos(folder: Path) -> list[Path]:
    """Return the paths of all photos of LFW, unpacked on the first call; a folder per person."""
    unpacked = folder / "photos"
    if not (folder / "unpacked").exists():
        write_photos(unpacked)
        (folder / "unpacked").touch()
    return sorted(unpacked.glob("*/*.jpg"))


def _embed(model: FaceModel, photos: list[Path], path: Path) -> None:
    templates, names = [], []
    with tqdm(total=len(photos), desc="embed", unit="photo", mininterval=1, file=sys.stderr) as bar:
        for start in range(0, len(photos), BATCH):
            block = photos[start : start + BATCH]
            for photo, face in zip(block, model.embed(block), strict=True):
                if not isinstance(face, PhotoError):
                    templates.append(face.embedding if face.template is None else face.template)
                    names.append(photo.parent.name)
            bar.update(len(block))
    with atomic_path(path) as temporary, temporary.open("wb") as file:
        np.savez(file, templates=np.stack(templates), names=np.array(names), photos=len(photos))
