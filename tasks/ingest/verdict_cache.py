"""Cache the verdicts of the last finished run, so that no photo is decoded twice.

A table holds the verdicts by image_id, with the images that had to be converted. A table that is damaged, or
was computed with other limits or code, is not used.
"""

import json
from collections.abc import Iterator
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import pyarrow as pa

from facenet.digests import code_digest
from tasks.ingest.checked_table import read_checked, write_checked
from tasks.ingest.photos import Limits, Verdict
from tasks.ingest.spool import Spool

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
        self._path = folder / "verdicts.arrow"
        self._key = _key(limits)
        self._old: dict[str, tuple[Verdict, int]] = {}
        self._now: dict[str, tuple[Verdict, bool]] = {}  # and whether the image was converted
        self._table = read_checked(self._path, SCHEMA, self._key)
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
        if self._now.keys() != self._old.keys():
            write_checked(self._path, SCHEMA, self._key, self._rows(spool))

    def _rows(self, spool: Spool) -> Iterator[dict[str, Any]]:
        for image_id, (verdict, converted) in sorted(self._now.items()):
            png = spool.read(image_id) if converted else None
            yield {**asdict(verdict), "image_id": image_id, "png": png}


def _key(limits: Limits) -> str:
    return json.dumps(
        {"limits": asdict(limits), "code": code_digest(CODE, LIBRARIES)}, sort_keys=True, allow_nan=False
    )
