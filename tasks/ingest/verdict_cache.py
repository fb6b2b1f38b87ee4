"""Cache the verdicts of the last finished run, so that no photo is decoded twice.

A table holds the verdicts by image_id, with the images that had to be converted. The receipt next to it holds
the digest of the table and the limits and code it was computed with. A table that does not match its receipt,
or was computed with other limits or code, is not used.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict, replace
from itertools import islice
from pathlib import Path
from typing import Any

import pyarrow as pa

from facenet.atomic import atomic_path, remove_temporaries, write_text
from facenet.digests import code_digest, file_digest
from tasks.ingest.photos import Limits, Verdict
from tasks.ingest.spool import Spool

BATCH_ROWS = 256
CODE = ("facenet.images", "tasks.ingest.photos")  # the code that a verdict depends on
LIBRARIES = ("numpy", "pillow")
FACTS = {
    "image_id": pa.string(),
    "status": pa.string(),
    "reason": pa.string(),
    "width": pa.int32(),
    "height": pa.int32(),
    "mode": pa.string(),
}
SCHEMA = pa.schema(FACTS | {"png": pa.binary()})


class VerdictCache:
    """The verdicts in `folder`, and those of this run, which replace them at the end."""

    def __init__(self, folder: Path, limits: Limits) -> None:
        self._path, self._receipt = folder / "verdicts.arrow", folder / "verdicts.json"
        self._key = _key(limits)
        self._old: dict[str, tuple[Verdict, int]] = {}
        self._now: dict[str, tuple[Verdict, bool]] = {}  # and whether the image was converted
        self._table = SCHEMA.empty_table()
        if self._is_ours():
            self._table = pa.ipc.open_file(pa.memory_map(str(self._path))).read_all()
            for row, facts in enumerate(self._table.select(list(FACTS)).to_pylist()):
                image_id = facts.pop("image_id")
                self._old[image_id] = (Verdict(**facts), row)

    def get(self, image_id: str) -> Verdict | None:
        """Return the verdict on a photo, with the converted image if any, or None if it is not cached."""
        if image_id not in self._old:
            return None
        verdict, row = self._old[image_id]
        return replace(verdict, png=self._table["png"][row].as_py())

    def add(self, image_id: str, verdict: Verdict) -> None:
        """Add the verdict on a photo of this run, new or cached."""
        self._now[image_id] = (replace(verdict, png=None), verdict.png is not None)

    def write(self, spool: Spool) -> None:
        """Store the verdicts of this run only, with converted images from the spool."""
        if self._now.keys() == self._old.keys():
            return
        self._path.parent.mkdir(parents=True, exist_ok=True)
        remove_temporaries(self._path.parent)
        rows = self._rows(spool)
        with atomic_path(self._path) as temporary:
            with pa.ipc.new_file(temporary, SCHEMA) as writer:
                while batch := list(islice(rows, BATCH_ROWS)):
                    writer.write_batch(pa.RecordBatch.from_pylist(batch, schema=SCHEMA))
            digest = file_digest(temporary)
        write_text(
            self._receipt, json.dumps({"key": self._key, "sha256": digest}, indent=2, allow_nan=False) + "\n"
        )

    def _is_ours(self) -> bool:
        if not (self._receipt.exists() and self._path.exists()):
            return False
        receipt: Mapping[str, Any] = json.loads(self._receipt.read_text())
        return bool(receipt["key"] == self._key and receipt["sha256"] == file_digest(self._path))

    def _rows(self, spool: Spool) -> Iterator[dict[str, Any]]:
        for image_id, (verdict, converted) in sorted(self._now.items()):
            png = spool.read(image_id) if converted else None
            yield {**asdict(verdict), "image_id": image_id, "png": png}


def _key(limits: Limits) -> str:
    return json.dumps(
        {"limits": asdict(limits), "code": code_digest(CODE, LIBRARIES)}, sort_keys=True, allow_nan=False
    )
