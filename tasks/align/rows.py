"""Read the raw image table in batches: it may be larger than memory."""

from collections.abc import Iterable, Iterator
from itertools import groupby
from pathlib import Path
from typing import NamedTuple

import pyarrow as pa

from facenet.errors import DataInvalid
from tasks.shards import RAW_SCHEMA, intact, shard_paths

LABELS = [name for name in RAW_SCHEMA.names if name != "image"]


class RawRow(NamedTuple):
    """A row of data/raw without its image, and the location of the image."""

    image_id: str
    identity: str
    source: str
    role: str
    file: str
    batch: int
    offset: int


def raw_rows(raw: Path) -> list[RawRow]:
    """Return all rows of the table in `raw`, in table order.

    Raises:
        DataInvalid: the table does not exist or is damaged.
    """
    paths = shard_paths(raw, "images")
    if not paths:
        raise DataInvalid(f"There is no images-*.arrow in {raw}. Run `dvc repro ingest`.")
    return [row for path in paths for row in _rows_of(path)]


def _rows_of(path: Path) -> Iterator[RawRow]:
    fields = [RAW_SCHEMA.get_field_index(name) for name in LABELS]
    options = pa.ipc.IpcReadOptions(included_fields=fields)
    with intact(path), pa.memory_map(str(path)) as file, pa.ipc.open_file(file, options=options) as reader:
        for number in range(reader.num_record_batches):
            columns = [column.to_pylist() for column in reader.get_batch(number).select(LABELS).columns]
            for offset, labels in enumerate(zip(*columns, strict=True)):
                image_id, identity, source, role = labels
                yield RawRow(image_id, identity, source, role, path.name, number, offset)


def read_images(raw: Path, rows: Iterable[RawRow]) -> Iterator[bytes]:
    """Yield the encoded photo of each row; only the pages of these photos are read, then released."""
    for name, of_file in groupby(rows, key=lambda row: row.file):
        with intact(raw / name), pa.memory_map(str(raw / name)) as file, pa.ipc.open_file(file) as reader:
            for number, of_batch in groupby(of_file, key=lambda row: row.batch):
                images = reader.get_batch(number).column("image")
                for row in of_batch:
                    yield images[row.offset].as_py()
