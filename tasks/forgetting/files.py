"""Remove files and folders, and rewrite tables without some rows."""

import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from facenet.atomic import atomic_path
from tasks.forgetting.inspection import PARQUET, batches, first_bytes

Keep = Callable[[pa.RecordBatch], "list[bool]"]


def remove(path: Path) -> None:
    """Remove a file, link or folder, if it exists."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def rewrite_table(path: Path, keep: Keep) -> None:
    """Replace an Arrow IPC or Parquet file by one with the rows that `keep` chooses, batch by batch."""
    with atomic_path(path) as temporary:
        if first_bytes(path).startswith(PARQUET):
            with pq.ParquetFile(path) as old:
                schema = old.schema_arrow
            with pq.ParquetWriter(temporary, schema) as writer:
                for batch in batches(path):
                    writer.write_batch(_kept(batch, keep))
            return
        with pa.OSFile(str(path)) as file, pa.ipc.open_file(file) as reader:
            schema = reader.schema
        with pa.ipc.new_file(temporary, schema) as arrow:
            for batch in batches(path):
                arrow.write_batch(_kept(batch, keep))


def _kept(batch: pa.RecordBatch, keep: Keep) -> pa.RecordBatch:
    # `take` copies: a slice would write the buffers of the whole batch
    return batch.take(pa.array(np.flatnonzero(keep(batch)), pa.int64()))
