"""A cache of the last finished run's faces, reused if nothing that determines their bytes has changed.

DVC empties data/aligned before it runs the stage, so its files are hard-linked into a cache folder. A receipt
there records their key and digests. A file is not used if its digest or key differs, or if the number of
shards has changed. A damaged receipt or file is discarded with a warning.
"""

import json
import shutil
from pathlib import Path
from typing import Annotated, Any

import pyarrow as pa
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from facenet.atomic import write_text
from facenet.digests import file_digest
from tasks.align.damage import discard, remove
from tasks.shards import shard_paths

RECEIPT = "receipt.json"
_ShardName = Annotated[str, Field(pattern=r"^faces-\d{4,}\.arrow$")]
COLUMNS = ["image", "box", "landmarks", "probability", "faces_found", "fallback"]


class PreviousFaces:
    """The columns of FACES_SCHEMA that align adds, by image_id, from the folder `kept`."""

    def __init__(self, kept: Path, *, key: str, shards: int) -> None:
        self._places: dict[str, tuple[Path, int, int]] = {}
        self._batch: tuple[tuple[Path, int] | None, Any] = (None, None)
        receipt = _read_receipt(kept / RECEIPT)
        if receipt is not None and receipt.key == key and len(receipt.files) == shards:
            for name, digest in receipt.files.items():
                if _is_intact(kept / name, digest):
                    self._places.update(_places(kept / name))

    def __contains__(self, image_id: str) -> bool:
        return image_id in self._places

    def get(self, image_id: str) -> dict[str, Any]:
        """Return the columns of a face; fastest in table order, since one batch is held in memory."""
        path, number, offset = self._places[image_id]
        if self._batch[0] != (path, number):
            with pa.OSFile(str(path)) as file, pa.ipc.open_file(file) as reader:
                self._batch = ((path, number), reader.get_batch(number).select(COLUMNS))
        row: dict[str, Any] = self._batch[1].slice(offset, 1).to_pylist()[0]
        return row


def keep(aligned: Path, kept: Path, key: str) -> None:
    """Hard-link the files of `aligned`, written under `key`, into `kept`, or copy them where links fail."""
    remove(kept / RECEIPT)  # until all files are in place
    for stale in shard_paths(kept, "faces"):
        remove(stale)
    kept.mkdir(parents=True, exist_ok=True)
    files = {}
    for path in shard_paths(aligned, "faces"):
        _link(path, kept / path.name)
        files[path.name] = file_digest(path)
    write_text(kept / RECEIPT, json.dumps({"key": key, "files": files}, indent=2, allow_nan=False) + "\n")


class _Receipt(BaseModel):
    """The key under which the files were written, and their digests by name."""

    model_config = ConfigDict(strict=True, extra="forbid")

    key: str
    files: dict[_ShardName, str]


def _read_receipt(path: Path) -> _Receipt | None:
    """Return the receipt, or None if it is missing, or damaged and therefore discarded."""
    try:
        return _Receipt.model_validate_json(path.read_bytes())
    except FileNotFoundError:
        return None
    except (OSError, ValidationError) as error:
        discard(path, f"it is not a valid receipt: {type(error).__name__}")
        return None


def _is_intact(path: Path, digest: str) -> bool:
    """Return whether a file has the expected digest; discard it otherwise."""
    try:
        if file_digest(path) == digest:
            return True
        problem = "its digest is wrong"
    except OSError as error:
        problem = error.strerror or str(error)
    discard(path, problem)
    return False


def _link(path: Path, target: Path) -> None:
    try:
        target.hardlink_to(path)
    except OSError:  # another file system, or one without links
        shutil.copyfile(path, target)


def _places(path: Path) -> dict[str, tuple[Path, int, int]]:
    places = {}
    options = pa.ipc.IpcReadOptions(included_fields=[0])
    with pa.memory_map(str(path)) as file, pa.ipc.open_file(file, options=options) as reader:
        for number in range(reader.num_record_batches):
            for offset, image_id in enumerate(reader.get_batch(number).column("image_id").to_pylist()):
                places[image_id] = (path, number, offset)
    return places
