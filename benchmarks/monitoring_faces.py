"""LFW photos through a FaceModel, as they are and as another camera, light or compression makes them."""

import io
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from tqdm import tqdm

from benchmarks.stage import write_photos
from facenet import Face, FaceModel, PhotoError
from facenet.atomic import atomic_path
from facenet.results import Quality

BATCH = 32  # photos per call
Pixels = NDArray[np.uint8]


def _jpeg20(photo: Image.Image) -> bytes:
    buffer = io.BytesIO()
    photo.save(buffer, "JPEG", quality=20)
    return buffer.getvalue()


# What happens to a photo; a camera of 0.6 times the pixels per side.
CHANGES: dict[str, Callable[[Image.Image], bytes | Image.Image]] = {
    "clean": lambda photo: photo,
    "brightness": lambda photo: photo.point(lambda value: value // 2),
    "jpeg20": _jpeg20,
    "camera": lambda photo: photo.resize((150, 150), Image.Resampling.LANCZOS),
}


@dataclass(frozen=True)
class FacesOf:
    """What a model found in photos: None where it found no face. people: whom they show."""

    faces: list[Face | None]
    people: list[str]

    def take(self, rows: NDArray[np.intp]) -> "FacesOf":
        """Return some of them."""
        return FacesOf([self.faces[row] for row in rows], [self.people[row] for row in rows])


def lfw_photos(folder: Path) -> list[Path]:
    """Return the photos of LFW, a folder per person, unpacked on the first call."""
    if not (folder / "unpacked").exists():
        write_photos(folder / "photos")
        (folder / "unpacked").touch()
    return sorted((folder / "photos").glob("*/*.jpg"))


def changed_faces(model: FaceModel, photos: Sequence[Path], change: str, folder: Path) -> FacesOf:
    """Return the selected face of each photo after a change; the results are stored in `folder`."""
    path = folder / f"{change}-{len(photos)}-{model.digest[:16]}.npz"
    if not path.exists():
        _write(path, _found(model, photos, change))
    with np.load(path, allow_pickle=False) as stored:
        faces = [_face(stored, row) for row in range(len(photos))]
    return FacesOf(faces, [photo.parent.name for photo in photos])


def _found(model: FaceModel, photos: Sequence[Path], change: str) -> list[Face | PhotoError]:
    found: list[Face | PhotoError] = []
    with tqdm(total=len(photos), desc=change, unit="photo", mininterval=1, file=sys.stderr) as bar:
        for start in range(0, len(photos), BATCH):
            block = photos[start : start + BATCH]
            found += model.embed([CHANGES[change](Image.open(path).convert("RGB")) for path in block])
            bar.update(len(block))
    return found


def _write(path: Path, found: Sequence[Face | PhotoError]) -> None:
    sizes = next((face.template.size, face.embedding.size) for face in found if isinstance(face, Face))  # type: ignore[union-attr]
    rows = [_values(face, *sizes) for face in found]
    with atomic_path(path) as temporary, temporary.open("wb") as file:
        np.savez(file, values=np.stack(rows), sizes=np.array(sizes))


def _values(face: Face | PhotoError, template: int, embedding: int) -> NDArray[np.float64]:
    """Return box, landmarks, probability, quality, template and embedding as one row; NaN without a face."""
    if isinstance(face, PhotoError):
        return np.full(18 + template + embedding, np.nan)
    assert face.quality is not None
    quality = list(face.quality.to_dict().values())
    points = np.ravel(face.landmarks) if face.landmarks else np.full(10, np.nan)
    return np.concatenate(
        [face.box, points, [face.probability], quality, np.ravel(face.template), np.ravel(face.embedding)]
    )


def _face(stored: "np.lib.npyio.NpzFile", row: int) -> Face | None:
    values, (template, _) = stored["values"][row], stored["sizes"]
    if np.isnan(values[14]):
        return None
    x0, y0, x1, y1 = values[:4].tolist()
    return Face(
        box=(x0, y0, x1, y1),
        landmarks=tuple((float(x), float(y)) for x, y in values[4:14].reshape(5, 2)),
        probability=float(values[14]),
        quality=Quality(*values[15:18].tolist()),
        template=values[18 : 18 + template].astype(np.float32),
        embedding=values[18 + template :].astype(np.float32),
    )
