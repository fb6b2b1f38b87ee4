from pathlib import Path

import pytest

from facenet.errors import DataInvalid
from tasks.align.rows import LABELS, raw_rows, read_images
from tasks.shards import RAW_SCHEMA, read_table, sort_key, write_shards

Photos = list[tuple[str, bytes]]


@pytest.fixture
def two_shards(tmp_path: Path, orl_photos: Photos) -> Path:
    """A table of 600 rows, more than a record batch holds, in two files."""
    rows = [
        {"image_id": f"{copy}-{n:03d}", "identity": name, "source": "orl", "role": "train", "image": data}
        for copy in range(2)
        for n, (name, data) in enumerate(orl_photos[:300])
    ]
    write_shards(tmp_path, "images", RAW_SCHEMA, sorted(rows, key=lambda row: sort_key(row, 2)), 2)
    return tmp_path


def test_rows_are_those_of_the_table_in_its_order(two_shards: Path) -> None:
    rows = raw_rows(two_shards)
    table = read_table(two_shards, "images", LABELS).to_pylist()
    assert [{name: getattr(row, name) for name in LABELS} for row in rows] == table
    assert len(rows) == 600
    assert {row.file for row in rows} == {"images-0000.arrow", "images-0001.arrow"}
    assert max(row.batch for row in rows) >= 1


def test_each_row_gets_its_own_photo_in_any_order(two_shards: Path, orl_photos: Photos) -> None:
    photo_of = {f"{n:03d}": data for n, (_, data) in enumerate(orl_photos)}
    rows = raw_rows(two_shards)
    for chosen in (rows, rows[::-1], rows[7:500:61], [rows[3], rows[3]], []):
        expected = [photo_of[row.image_id.partition("-")[2]] for row in chosen]
        assert list(read_images(two_shards, chosen)) == expected


def test_a_table_without_rows_has_none(tmp_path: Path) -> None:
    write_shards(tmp_path, "images", RAW_SCHEMA, [], 1)
    assert raw_rows(tmp_path) == []


def test_without_a_table_the_next_command_is_named(tmp_path: Path) -> None:
    with pytest.raises(DataInvalid, match=r"no images-\*\.arrow in .*dvc repro ingest"):
        raw_rows(tmp_path)
