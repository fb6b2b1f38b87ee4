"""The image table on disk: Arrow IPC files with one bucket of identities each.

A row's shard depends on its identity alone and rows are sorted within a shard, so that the files are a pure
function of their rows and a change to one identity rewrites one file. A row's number is its position in the
concatenation of the shards in name order.
"""

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pyarrow as pa

from facenet.atomic import atomic_path, remove_temporaries
from facenet.errors import DataInvalid

SHARD_BYTES = 256 * 2**20
BATCH_ROWS = 256  # rows per record batch, which a reader holds in memory
BATCH_BYTES = 64 * 2**20  # of images, after which a batch ends early: photos can have 100 megapixels

RAW_SCHEMA = pa.schema(
    {
        "image_id": pa.string(),
        "identity": pa.string(),
        "source": pa.string(),
        "role": pa.string(),
        "image": pa.binary(),
    }
)
FACES_SCHEMA = pa.schema(
    {
        "image_id": pa.string(),
        "identity": pa.string(),
        "source": pa.string(),
        "role": pa.string(),
        "image": pa.binary(),
        "box": pa.list_(pa.float32(), 4),
        "landmarks": pa.list_(pa.list_(pa.float32(), 2), 5),
        "probability": pa.float32(),
        "faces_found": pa.int32(),
        "fallback": pa.bool_(),
    }
)


def shard_count(total_bytes: int) -> int:
    """Return the number of shards for a table size: a power of two, so that growth rarely moves rows."""
    return 1 << max(0, (total_bytes - 1) // SHARD_BYTES).bit_length()


def shard_of(identity: str, shards: int) -> int:
    """Return the shard, 0 to shards - 1, that holds all rows of `identity`."""
    return int.from_bytes(hashlib.sha256(identity.encode()).digest()[:8]) % shards


def sort_key(row: Mapping[str, Any], shards: int) -> tuple[int, str, str]:
    """Return the sort key for table order."""
    return shard_of(row["identity"], shards), row["identity"], row["image_id"]


def shard_paths(folder: Path, prefix: str) -> list[Path]:
    """Return the shard files of a table in order."""
    return sorted(folder.glob(f"{prefix}-*.arrow"))


def write_shards(
    folder: Path, prefix: str, schema: pa.Schema, rows: Iterable[Mapping[str, Any]], shards: int
) -> int:
    """Write `rows`, already in table order, to `folder`/`prefix`-NNNN.arrow and return their number.

    Holds one record batch in memory. Each file is written atomically; files of an earlier, larger table and
    leftovers of a killed run are removed. Empty shards are written too, so that names show the count.

    Raises:
        ValueError: rows are not in table order.
    """
    folder.mkdir(parents=True, exist_ok=True)
    remove_temporaries(folder)
    source, total = _Lookahead(rows, shards), 0
    names = [f"{prefix}-{shard:04d}.arrow" for shard in range(shards)]
    for shard, name in enumerate(names):
        with atomic_path(folder / name) as temporary, pa.ipc.new_file(temporary, schema) as writer:
            for batch in source.batches(shard):
                writer.write_batch(pa.RecordBatch.from_pylist(batch, schema=schema))
                total += len(batch)
    for path in shard_paths(folder, prefix):
        if path.name not in names:
            path.unlink()
    return total


class _Lookahead:
    """Splits one sorted iterator of rows into batches per shard."""

    def __init__(self, rows: Iterable[Mapping[str, Any]], shards: int) -> None:
        self._rows, self._shards = iter(rows), shards
        self._last: tuple[int, str, str] = (0, "", "")
        self._row = self._next()

    def _next(self) -> Mapping[str, Any] | None:
        row = next(self._rows, None)
        if row is not None:
            key = sort_key(row, self._shards)
            if key < self._last:
                raise ValueError(f"rows are out of order: {key} after {self._last}")
            self._last = key
        return row

    def batches(self, shard: int) -> Iterator[list[Mapping[str, Any]]]:
        """Yield the rows of a shard in batches of limited number and size; ask for shards in order."""
        batch: list[Mapping[str, Any]] = []
        held = 0
        while self._row is not None and self._last[0] == shard:
            batch.append(self._row)
            held += len(self._row["image"])
            self._row = self._next()
            if len(batch) == BATCH_ROWS or held >= BATCH_BYTES:
                yield batch
                batch, held = [], 0
        if batch:
            yield batch


@contextmanager
def intact(path: Path) -> Iterator[None]:
    """Turn an Arrow error while reading a shard into one that names the file.

    Raises:
        DataInvalid: the file is empty, truncated or not a shard.
    """
    try:
        yield
    except (pa.ArrowException, KeyError) as error:
        raise DataInvalid(f"{path} is damaged: {error}. Run `dvc repro` to restore it.") from error


def read_batches(folder: Path, prefix: str) -> Iterator[pa.RecordBatch]:
    """Yield the record batches of a table in order, each read on demand and freed after its last use.

    Raises:
        DataInvalid: a shard is damaged.
    """
    for path in shard_paths(folder, prefix):
        with intact(path), pa.OSFile(str(path)) as file, pa.ipc.open_file(file) as reader:
            for number in range(reader.num_record_batches):
                yield reader.get_batch(number)


def read_table(folder: Path, prefix: str, columns: list[str] | None = None) -> pa.Table:
    """Return a whole table as a memory map: data is read on access.

    Raises:
        FileNotFoundError: `folder` has no shards with this prefix.
        DataInvalid: a shard is damaged.
    """
    tables = []
    for path in shard_paths(folder, prefix):
        with intact(path):
            table = pa.ipc.open_file(pa.memory_map(str(path))).read_all()
            tables.append(table if columns is None else table.select(columns))
    if not tables:
        raise FileNotFoundError(f"There is no {prefix}-*.arrow in {folder}. Run `dvc repro`.")
    return pa.concat_tables(tables)
