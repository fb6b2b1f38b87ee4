"""A cache of detections, separate from the crops: another margin or size needs no new detection.

A folder holds the detections of one code version and one set of detector parameters by image_id. New ones are
written in parts while the stage runs, so that a killed run can continue; a finished run leaves one file. The
name of a part ends with a digest of its bytes: a part that does not match it is discarded.
"""

import hashlib
import re
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import pyarrow as pa

from facenet.atomic import remove_temporaries, write_bytes
from facenet.detection import Faces
from tasks.align.damage import discard

PART_ROWS = 256  # photos per part, and the most that a killed run loses: a few seconds of work
_PART = re.compile(r"part-\d{6}-[0-9a-f]{16}\.arrow")
SCHEMA = pa.schema(
    {
        "image_id": pa.string(),
        "boxes": pa.list_(pa.float32()),
        "probabilities": pa.list_(pa.float32()),
        "landmarks": pa.list_(pa.float32()),
    }
)


class DetectionCache:
    """The faces in photos by image_id, in memory as Arrow and on disk in `folder`."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        remove_temporaries(folder)
        parts = {path: content for path in sorted(folder.glob("part-*")) if (content := _intact(path))}
        self._paths = list(parts)
        tables = [pa.ipc.open_file(content).read_all() for content in parts.values()]
        self._table = pa.concat_tables([SCHEMA.empty_table(), *tables]).combine_chunks()
        self._rows = {image_id: row for row, image_id in enumerate(self._table["image_id"].to_pylist())}
        self._new: dict[str, Faces] = {}
        self._unwritten: list[str] = []

    def __contains__(self, image_id: str) -> bool:
        return image_id in self._new or image_id in self._rows

    def get(self, image_id: str) -> Faces | None:
        """Return the faces in a photo, or None if it is not cached."""
        row = self._rows.get(image_id)
        if row is None:
            return self._new.get(image_id)
        boxes, probabilities, landmarks = (
            self._table[name][row].values.to_numpy() for name in ("boxes", "probabilities", "landmarks")
        )
        return Faces(boxes.reshape(-1, 4), probabilities, landmarks.reshape(-1, 5, 2))

    def add(self, image_id: str, faces: Faces) -> None:
        """Cache the faces in a photo, and write a part once there are enough for one."""
        if image_id not in self:
            self._new[image_id] = faces
            self._unwritten.append(image_id)
            if len(self._unwritten) >= PART_ROWS:
                self.flush()

    def flush(self) -> None:
        """Write everything that is not on disk yet."""
        if self._unwritten:
            self._write(self._unwritten)
            self._unwritten = []

    def close(self, image_ids: Iterable[str]) -> None:
        """Reduce the cache to one file with `image_ids`, dropping photos that no longer exist."""
        self.flush()
        kept = sorted(image_id for image_id in image_ids if image_id in self)
        if len(self._paths) > 1 or len(kept) < len(self._rows):
            self._write(kept)
            for path in self._paths[:-1]:
                path.unlink()
            self._paths = self._paths[-1:]

    def _write(self, image_ids: list[str]) -> None:
        number = int(self._paths[-1].stem.split("-")[1]) + 1 if self._paths else 0
        buffer = pa.BufferOutputStream()
        with pa.ipc.new_file(buffer, SCHEMA) as writer:
            writer.write_table(pa.Table.from_pylist([_row(i, self.get(i)) for i in image_ids], schema=SCHEMA))
        content = buffer.getvalue().to_pybytes()
        path = self.folder / f"part-{number:06d}-{_digest(content)}.arrow"
        write_bytes(path, content)
        self._paths.append(path)


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()[:16]


def _intact(path: Path) -> bytes | None:
    """Return the bytes of a part, or discard it and return None if they do not match its name."""
    try:
        content = path.read_bytes()
    except OSError as error:
        discard(path, error.strerror or str(error))
        return None
    if _PART.fullmatch(path.name) is None or not path.stem.endswith(_digest(content)):
        discard(path, "its digest is wrong")
        return None
    return content


def _row(image_id: str, faces: Faces | None) -> dict[str, object]:
    assert faces is not None
    flat = [np.ravel(values) for values in (faces.boxes, faces.probabilities, faces.landmarks)]
    return dict(zip(SCHEMA.names, [image_id, *flat], strict=True))
