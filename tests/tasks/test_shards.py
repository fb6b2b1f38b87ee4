"""The image table is a pure function of its rows, written atomically and read without loading it whole."""

import hashlib
import random
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from facenet.errors import DataInvalid
from tasks.shards import (
    BATCH_ROWS,
    FACES_SCHEMA,
    RAW_SCHEMA,
    SHARD_BYTES,
    read_batches,
    read_table,
    shard_count,
    shard_of,
    shard_paths,
    sort_key,
    write_shards,
)


def photo(identity: str, number: int, content: bytes = b"x") -> dict[str, Any]:
    image_id = hashlib.sha256(f"{identity}/{number}".encode()).hexdigest()
    return {"image_id": image_id, "identity": identity, "source": "s", "role": "train", "image": content}


def in_order(rows: list[dict[str, Any]], shards: int) -> list[dict[str, Any]]:
    return sorted(rows, key=lambda row: sort_key(row, shards))


ROWS = [photo(f"person {person}", number) for person in range(20) for number in range(person % 4 + 1)]


def test_shard_count_grows_by_doubling_and_never_shrinks_with_the_bytes() -> None:
    assert [
        shard_count(n) for n in (0, 1, SHARD_BYTES, SHARD_BYTES + 1, 2 * SHARD_BYTES, 2 * SHARD_BYTES + 1)
    ] == [
        1,
        1,
        1,
        2,
        2,
        4,
    ]
    sizes = [shard_count(total) for total in range(0, 40 * SHARD_BYTES, SHARD_BYTES // 3)]
    assert sizes == sorted(sizes)
    assert all(
        total <= shard_count(total) * SHARD_BYTES for total in range(0, 40 * SHARD_BYTES, SHARD_BYTES // 3)
    )


def test_shard_of_is_the_digest_and_spreads_people_evenly() -> None:
    assert shard_of("Zoë", 1) == 0
    assert shard_of("Ada", 16) == int(hashlib.sha256(b"Ada").hexdigest()[:16], 16) % 16
    counts = np.bincount([shard_of(f"n{number:06d}", 8) for number in range(8000)], minlength=8)
    assert counts.min() > 900
    assert counts.max() < 1100


def test_doubling_the_shards_moves_a_person_to_one_of_two() -> None:
    for name in ("Ada", "Bob", "Zoë"):
        assert shard_of(name, 8) % 4 == shard_of(name, 4)


@pytest.mark.parametrize("shards", [1, 2, 8, 64])
def test_round_trip(tmp_path: Path, shards: int) -> None:
    assert write_shards(tmp_path, "images", RAW_SCHEMA, in_order(ROWS, shards), shards) == len(ROWS)
    names = [f"images-{number:04d}.arrow" for number in range(shards)]
    assert [path.name for path in shard_paths(tmp_path, "images")] == names
    table = read_table(tmp_path, "images")
    assert table.schema == RAW_SCHEMA
    assert table.to_pylist() == in_order(ROWS, shards)
    assert [
        row for batch in read_batches(tmp_path, "images") for row in batch.to_pylist()
    ] == table.to_pylist()
    for number, path in enumerate(shard_paths(tmp_path, "images")):
        people = pa.ipc.open_file(pa.memory_map(str(path))).read_all()["identity"].to_pylist()
        assert {shard_of(name, shards) for name in people} <= {number}


def test_faces_round_trip_with_vectors_and_nan(tmp_path: Path) -> None:
    face = photo("Ada", 1) | {
        "box": np.arange(4, dtype="f4"),
        "probability": 0.5,
        "faces_found": 2,
        "fallback": False,
    }
    rows = [
        face | {"image_id": "a", "landmarks": np.arange(10, dtype="f4").reshape(5, 2).tolist()},
        face | {"image_id": "b", "landmarks": np.full((5, 2), np.nan, "f4").tolist()},
    ]
    write_shards(tmp_path, "faces", FACES_SCHEMA, rows, 1)
    read = read_table(tmp_path, "faces").to_pylist()
    assert read[0]["box"] == [0, 1, 2, 3]
    np.testing.assert_array_equal(read[0]["landmarks"], np.arange(10).reshape(5, 2))
    assert np.isnan(read[1]["landmarks"]).all()


def test_empty_tables_exist_and_have_their_columns(tmp_path: Path) -> None:
    assert write_shards(tmp_path / "new", "images", RAW_SCHEMA, [], 2) == 0
    table = read_table(tmp_path / "new", "images")
    assert (table.num_rows, table.schema) == (0, RAW_SCHEMA)
    assert list(read_batches(tmp_path / "new", "images")) == []


def test_a_missing_table_is_an_error_that_names_the_next_command(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"no images-\*\.arrow in .*dvc repro"):
        read_table(tmp_path, "images")


def test_bytes_do_not_depend_on_input_order_or_earlier_files(tmp_path: Path) -> None:
    write_shards(tmp_path / "a", "images", RAW_SCHEMA, in_order(ROWS, 4), 4)
    shuffled = random.Random(0).sample(ROWS, len(ROWS))
    write_shards(tmp_path / "b", "images", RAW_SCHEMA, in_order(ROWS[:5], 1), 1)
    write_shards(tmp_path / "b", "images", RAW_SCHEMA, in_order(shuffled, 4), 4)
    for one, other in zip(
        shard_paths(tmp_path / "a", "images"), shard_paths(tmp_path / "b", "images"), strict=True
    ):
        assert one.read_bytes() == other.read_bytes()


def test_changing_one_person_rewrites_one_file_only(tmp_path: Path) -> None:
    write_shards(tmp_path / "a", "images", RAW_SCHEMA, in_order(ROWS, 8), 8)
    write_shards(tmp_path / "b", "images", RAW_SCHEMA, in_order([*ROWS, photo("person 3", 99)], 8), 8)
    changed = [
        number
        for number in range(8)
        if (tmp_path / "a" / f"images-{number:04d}.arrow").read_bytes()
        != (tmp_path / "b" / f"images-{number:04d}.arrow").read_bytes()
    ]
    assert changed == [shard_of("person 3", 8)]


def test_rows_out_of_order_are_an_error(tmp_path: Path) -> None:
    rows = in_order(ROWS, 4)
    with pytest.raises(ValueError, match="out of order"):
        write_shards(tmp_path, "images", RAW_SCHEMA, [rows[1], rows[0]], 4)
    with pytest.raises(ValueError, match="out of order"):
        write_shards(tmp_path, "images", RAW_SCHEMA, rows[::-1], 4)


def test_shards_of_a_larger_table_and_leftovers_are_removed(tmp_path: Path) -> None:
    write_shards(tmp_path, "images", RAW_SCHEMA, in_order(ROWS, 8), 8)
    (tmp_path / ".tmp-99-images-0003.arrow").write_bytes(b"half")
    (tmp_path / "pairs.parquet").write_bytes(b"kept")
    write_shards(tmp_path, "images", RAW_SCHEMA, in_order(ROWS, 2), 2)
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "images-0000.arrow",
        "images-0001.arrow",
        "pairs.parquet",
    ]
    assert read_table(tmp_path, "images").num_rows == len(ROWS)


def test_a_failure_half_way_leaves_the_old_shard_and_no_half_file(tmp_path: Path) -> None:
    write_shards(tmp_path, "images", RAW_SCHEMA, in_order(ROWS, 1), 1)
    before = (tmp_path / "images-0000.arrow").read_bytes()

    def breaking() -> Iterator[dict[str, Any]]:
        yield from in_order(ROWS, 1)[:3]
        raise OSError("disk")

    with pytest.raises(OSError, match="disk"):
        write_shards(tmp_path, "images", RAW_SCHEMA, breaking(), 1)
    assert [path.name for path in tmp_path.iterdir()] == ["images-0000.arrow"]
    assert (tmp_path / "images-0000.arrow").read_bytes() == before


@pytest.mark.parametrize("content", [b"", b"no table", None])
def test_a_damaged_shard_is_an_error_that_names_it(tmp_path: Path, content: bytes | None) -> None:
    write_shards(tmp_path, "images", RAW_SCHEMA, in_order(ROWS, 2), 2)
    path = tmp_path / "images-0001.arrow"
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2] if content is None else content)
    for read in (lambda: read_table(tmp_path, "images"), lambda: list(read_batches(tmp_path, "images"))):
        with pytest.raises(DataInvalid, match=r"images-0001\.arrow is damaged.*dvc repro"):
            read()
    path.write_bytes(whole)
    with pytest.raises(DataInvalid, match=r"images-0000\.arrow is damaged.*no_such_column"):
        read_table(tmp_path, "images", ["no_such_column"])


def test_columns_can_be_selected(tmp_path: Path) -> None:
    write_shards(tmp_path, "images", RAW_SCHEMA, in_order(ROWS, 2), 2)
    assert read_table(tmp_path, "images", ["image_id", "role"]).column_names == ["image_id", "role"]


def test_batches_are_cut_at_the_same_size_for_any_table(tmp_path: Path) -> None:
    rows = in_order([photo("one", number) for number in range(2 * BATCH_ROWS + 1)], 1)
    write_shards(tmp_path, "images", RAW_SCHEMA, rows, 1)
    assert [batch.num_rows for batch in read_batches(tmp_path, "images")] == [BATCH_ROWS, BATCH_ROWS, 1]


def test_writing_and_reading_hold_one_batch_in_memory(tmp_path: Path) -> None:
    """A table of 256 MB is written and read by a process that may grow by only 160 MB."""
    code = f"""
import hashlib
from pathlib import Path
from tasks.shards import *
from tests.peak_memory import peak_mb
def rows():
    for number in range(4096):
        yield {{"image_id": f"{{number:04d}}", "identity": "one", "source": "s", "role": "train",
               "image": hashlib.sha256(str(number).encode()).digest() * 2048}}
folder, before = Path({str(tmp_path)!r}), peak_mb()
assert write_shards(folder, "images", RAW_SCHEMA, rows(), 1) == 4096
pieces = (row for batch in read_batches(folder, "images") for row in batch["image"].to_pylist())
assert sum(map(len, pieces)) == 2**28
print(peak_mb() - before)
"""
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert float(done.stdout) < 160
