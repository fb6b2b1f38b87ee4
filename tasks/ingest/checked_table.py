"""A cached Arrow table with a receipt: one that is damaged, or was computed for another key, is not used."""

import json
import logging
from collections.abc import Iterator, Mapping
from itertools import islice
from pathlib import Path
from typing import Any

import pyarrow as pa

from facenet.atomic import atomic_path, remove_temporaries, write_text
from facenet.digests import file_digest

BATCH_ROWS = 256

logger = logging.getLogger(__name__)


def read_checked(path: Path, schema: pa.Schema, key: str) -> pa.Table:
    """Return the memory-mapped table at `path`; an empty one if it is missing, damaged or of another key."""
    receipt = path.with_suffix(".json")
    if not path.exists() and not receipt.exists():
        return schema.empty_table()
    try:
        facts = json.loads(receipt.read_text())
        if facts["key"] != key:
            return schema.empty_table()
        if facts["sha256"] == file_digest(path):
            table = pa.ipc.open_file(pa.memory_map(str(path))).read_all()
            if table.schema == schema:
                return table
        problem = "it does not match its receipt"
    except (OSError, ValueError, KeyError, TypeError) as error:
        problem = f"{type(error).__name__}: {error}"
    logger.warning("The cache %s is damaged and will be rebuilt: %s.", path, problem)
    return schema.empty_table()


def write_checked(path: Path, schema: pa.Schema, key: str, rows: Iterator[Mapping[str, Any]]) -> None:
    """Write a table and its receipt atomically, in batches of rows."""
    path.parent.mkdir(parents=True, exist_ok=True)
    remove_temporaries(path.parent)
    with atomic_path(path) as temporary:
        with pa.ipc.new_file(temporary, schema) as writer:
            while batch := list(islice(rows, BATCH_ROWS)):
                writer.write_batch(pa.RecordBatch.from_pylist(batch, schema=schema))
        digest = file_digest(temporary)
    receipt = json.dumps({"key": key, "sha256": digest}, indent=2, allow_nan=False)
    write_text(path.with_suffix(".json"), f"{receipt}\n")
