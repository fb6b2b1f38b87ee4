"""The record of each file found: one row of data/raw/manifest.parquet."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

import pyarrow as pa

from facenet.identity import fold_name
from tasks.ingest.photos import USABLE
from tasks.shards import sort_key

MANIFEST_SCHEMA = pa.schema(
    {
        "image_id": pa.string(),
        "identity": pa.string(),
        "source": pa.string(),
        "role": pa.string(),
        "path": pa.string(),
        "width": pa.int32(),
        "height": pa.int32(),
        "mode": pa.string(),
        "bytes": pa.int64(),
        "status": pa.string(),
        "reason": pa.string(),
    }
)
FORGOTTEN = "forgotten"  # status of photos that labels/forgotten.csv refuses
NOBODYS = ("hidden", "unsafe", "superseded", FORGOTTEN)  # statuses of files that never belong to a person
NO_PHOTO = (*NOBODYS, "unsupported")  # statuses of files that are not photos

AttributeBytes = bytes  # the class below has a field called bytes

folded = cache(fold_name)  # called for every photo of a person


@dataclass(slots=True)
class Record:
    """One file of one source.

    path: relative to the source. image_id: sha256 of the bytes; None, like `bytes`, if they were not read.
    width, height: pixels of the upright image. status: `kept`, or why it is rejected, with a sentence in
    `reason`. identity: NFC-normalised name, None for files outside the folders of people. role: train,
    evaluate, or split until that is decided. attributes: one byte per attribute of its source, 1 or 0, None
    if they are unknown.
    """

    source: str
    path: str
    image_id: str | None = None
    bytes: int | None = None
    width: int | None = None
    height: int | None = None
    mode: str | None = None
    status: str = USABLE
    reason: str = ""
    identity: str | None = None
    role: str | None = None
    attributes: AttributeBytes | None = None

    @property
    def kept(self) -> bool:
        """Whether the photo has not been rejected."""
        return self.status == USABLE

    @property
    def place(self) -> str:
        """Source and path, for messages."""
        return f"{self.source}: {self.path}"

    def reject(self, status: str, reason: str) -> None:
        """Reject the photo."""
        self.status, self.reason = status, reason

    def forget(self) -> None:
        """Drop everything about the photo but where it is, so that it can be removed there too."""
        self.image_id = self.bytes = self.identity = self.role = self.attributes = None


def manifest_table(records: Iterable[Record], shards: int) -> pa.Table:
    """Return the manifest, sorted like the image table, with rejected files in between."""
    rows = [{name: getattr(record, name) for name in MANIFEST_SCHEMA.names} for record in records]
    rows.sort(key=lambda row: (_order(row, shards), row["source"], row["path"]))
    return pa.Table.from_pylist(rows, schema=MANIFEST_SCHEMA)


def _order(row: Mapping[str, Any], shards: int) -> tuple[int, str, str]:
    return sort_key({"identity": row["identity"] or "", "image_id": row["image_id"] or ""}, shards)
