"""A cache of the last finished run's faces, reused if nothing that determines their bytes has changed.

DVC empties data/aligned before it runs the stage, so its files are hard-linked into a cache folder. A receipt
there records their key and digests. A file is not used if its digest or key differs, or if the number of
shards has changed.
"""

import json
import shutil
from pathlib import Path
from typing import Any

import pyarrow as pa

from facenet.atomic import write_text
from facenet.digests import file_digest
from tasks.shards import shard_paths

RECEIPT = "receipt.json"
COLUMNS = ["image", "box", "landmarks", "probability", "faces_found", "fallback"]


class PreviousFaces:
    """The columns of FACES_SCHEMA that align adds, by image_id, from the folder `kept`."""

    def __init__(self, kept: Path, *, key: str, shards: int) -> None:
        self._places: dict[str, tuple[Path, int, int]] = {}
        self._batch: tuple[tuple[Path, int] | None, Any] = (None, None)
        paths, receipt = shard_paths(kept, "faces"), kept / RECEIPT
        if receipt.exists() and len(paths) == shards:
            known = json.loads(receipt.read_text())
            for path in paths if known["key"] == key else []:
                if known["files"].get(path.name) == file_digest(path):
                    self._places.update(_places(path))

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
    (kept / RECEIPT).unlink(missing_ok=True)  # until all files are in place
    for stale in shard_paths(kept, "faces"):
        stale.unlink()
    kept.mkdir(parents=True, exist_ok=True)
    files = {}
    for path in shard_paths(aligned, "faces"):
        _link(path, kept / path.name)
        files[path.name] = file_digest(path)
    write_text(kept / RECEIPT, json.dumps({"key": key, "files": files}, indent=2) + "\n")


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
