"""The work of a worker process: it reads photos, returns faces and writes nothing."""

from collections.abc import Iterator
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from sys import maxsize
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from facenet.detection import MTCNN, CropSettings, DetectorSettings, Faces
from facenet.detection.aligner import align_face, whole_photo
from facenet.devices import cpu_threads
from facenet.errors import ImageRejected
from facenet.images import ImageFormat, decode, encode
from tasks.align.rows import RawRow, read_images

GROUP_PIXELS = 2**23  # per group of photos decoded together, unless a single photo has more
NO_FACE = "no_face"


@dataclass(frozen=True)
class Settings:
    """Everything that determines the bytes of a face."""

    detector: DetectorSettings
    selection: str
    crop: CropSettings
    image_format: ImageFormat


class Job(NamedTuple):
    """Rows to align; `cached` holds the cached detections of each row, or None."""

    rows: list[RawRow]
    cached: list[Faces | None]

    def split(self) -> list["Job"]:
        """Return one job per row."""
        return [Job([row], [cached]) for row, cached in zip(self.rows, self.cached, strict=True)]

    def name(self) -> str:
        """Return a description of the rows for messages."""
        first, others = self.rows[0], len(self.rows) - 1
        also = f" and the {others} rows after it" if others else ""
        return f"the photo {first.image_id} of {first.identity} in {first.file}{also}"


class AlignedPhoto(NamedTuple):
    """The result for a row.

    found: the detected faces, None if the photo cannot be decoded. reason: why the photo is rejected.
    face: the columns that FACES_SCHEMA adds to the raw row, unless the photo is rejected.
    """

    found: Faces | None
    reason: str | None = None
    face: dict[str, Any] | None = None


class Worker:
    """Aligns jobs with one detector. The result for a row depends on that row alone."""

    def __init__(self, raw: Path, settings: Settings, device: str) -> None:
        self._raw, self._settings = raw, settings
        self._on_cpu = device == "cpu"
        with self._threads():  # a runtime takes its number of threads when it is created
            whole = settings.crop.method == "none"
            self._detector = None if whole else MTCNN(settings.detector, device=device)

    def __call__(self, job: Job) -> list[AlignedPhoto]:
        """Return the result of each row of the job, in order."""
        aligned_photos = {
            index: _without_pixels(row, cached) for index, (row, cached) in enumerate(zip(*job, strict=True))
        }
        waiting = [index for index, aligned_photo in aligned_photos.items() if aligned_photo is None]
        with self._threads():
            for group in self._groups(job, waiting, aligned_photos):
                aligned_photos.update(self._align(job, group))
        return [
            aligned_photo for _, aligned_photo in sorted(aligned_photos.items()) if aligned_photo is not None
        ]

    def _threads(self) -> AbstractContextManager[None]:
        """Use one thread on a CPU: a process per core is faster, and sums do not depend on the cores."""
        return cpu_threads(1) if self._on_cpu else nullcontext()

    def _groups(
        self, job: Job, waiting: list[int], aligned_photos: dict[int, AlignedPhoto | None]
    ) -> Iterator[dict[int, NDArray[np.uint8]]]:
        """Yield groups of decoded photos by index; a photo that cannot be decoded becomes a result."""
        group: dict[int, NDArray[np.uint8]] = {}
        for index, data in zip(waiting, read_images(self._raw, [job.rows[i] for i in waiting]), strict=True):
            try:
                group[index] = decode(data, max_pixels=maxsize)  # ingest has applied the limit
            except ImageRejected as rejection:
                aligned_photos[index] = AlignedPhoto(None, rejection.reason)
            if sum(image.size for image in group.values()) >= 3 * GROUP_PIXELS:
                yield group
                group = {}
        yield group

    def _align(self, job: Job, photos: dict[int, NDArray[np.uint8]]) -> dict[int, AlignedPhoto]:
        found = {index: faces for index in photos if (faces := job.cached[index]) is not None}
        unknown = [index for index in photos if index not in found]
        found.update(zip(unknown, self._search([photos[i] for i in unknown]), strict=True))
        return {i: self._aligned_photo(job.rows[i], pixels, found[i]) for i, pixels in photos.items()}

    def _search(self, photos: list[NDArray[np.uint8]]) -> list[Faces]:
        return self._detector.detect(photos) if self._detector else [whole_photo(photo) for photo in photos]

    def _aligned_photo(self, row: RawRow, pixels: NDArray[np.uint8], found: Faces) -> AlignedPhoto:
        if not len(found) and row.role == "train":
            return AlignedPhoto(found, NO_FACE)
        face = align_face(pixels, found, self._settings.selection, self._settings.crop)
        columns = {
            "image": encode(face.image, self._settings.image_format),
            "box": face.box.tolist(),
            "landmarks": face.landmarks.tolist(),
            "probability": face.probability,
            "faces_found": face.faces_found,
            "fallback": face.fallback,
        }
        return AlignedPhoto(found, None, columns)


def _without_pixels(row: RawRow, cached: Faces | None) -> AlignedPhoto | None:
    """Return the result of a row whose photo need not be opened, else None."""
    return (
        AlignedPhoto(cached, NO_FACE)
        if cached is not None and not len(cached) and row.role == "train"
        else None
    )
