from pathlib import Path

import pyarrow.parquet as pq

from facenet.evaluation.pairs import Pair, PhotoName
from tasks.ingest.attributes import attributes_table
from tasks.ingest.output import Output, write_manifest, write_output
from tasks.ingest.protocol import pairs_table
from tasks.ingest.records import Record, manifest_table
from tasks.ingest.spool import Spool
from tasks.shards import read_table, shard_of

PEOPLE = [f"p{number}" for number in range(20)]


def _records() -> dict[str, Record]:
    keys = [f"{99 - number:02d}" for number in range(40)]
    return {
        key: Record("folder", f"{key}.jpg", image_id=key, identity=PEOPLE[place % 20], role="train")
        for place, key in enumerate(keys)
    }


def _write(raw: Path, shards: int, drawn: list[Pair]) -> None:
    records = _records()
    with Spool(raw.parent) as spool:
        for key in records:
            spool.add(key, f"photo {key}".encode())
        attributes = attributes_table(list(records.values()), {}, records)
        output = Output(manifest_table(records.values(), shards), pairs_table([]), attributes, drawn, shards)
        write_output(raw, output, records, spool)


def test_photos_are_sorted_in_the_shard_of_their_person(tmp_path: Path) -> None:
    raw = tmp_path / "raw"
    _write(raw, 4, [])
    rows = read_table(raw, "images").to_pylist()
    order = [(shard_of(row["identity"], 4), row["identity"], row["image_id"]) for row in rows]
    assert order == sorted(order)
    assert len(order) == 40
    assert all(row["image"] == f"photo {row['image_id']}".encode() for row in rows)
    assert pq.read_table(raw / "manifest.parquet")["image_id"].to_pylist() == [
        row["image_id"] for row in rows
    ]


def test_other_files_are_removed(tmp_path: Path) -> None:
    raw = tmp_path / "raw"
    drawn = [Pair(PhotoName("a", 1), PhotoName(right, number), same, 0) for right, number, same in DRAWN]
    _write(raw, 2, drawn)
    (raw / "stray").mkdir()
    (raw / "link").symlink_to(tmp_path)
    assert (raw / "pairs.txt").read_text() == "1\t1\na\t1\t2\na\t1\tb\t1\n"
    _write(raw, 1, [])
    assert sorted(path.name for path in raw.iterdir()) == [
        "attributes.parquet",
        "images-0000.arrow",
        "manifest.parquet",
        "pairs.parquet",
    ]
    assert raw.parent.exists()


def test_a_manifest_alone_replaces_everything(tmp_path: Path) -> None:
    raw = tmp_path / "raw"
    _write(raw, 1, [])
    write_manifest(raw, manifest_table([Record("folder", "1.jpg", status="misplaced", reason="x")], 1))
    assert [path.name for path in raw.iterdir()] == ["manifest.parquet"]
    assert pq.read_table(raw / "manifest.parquet")["status"].to_pylist() == ["misplaced"]


DRAWN = [("a", 2, True), ("b", 1, False)]
