import bz2
import gzip
import zipfile
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tasks.forgetting.inspection import Inspection, column_names, is_table, may_show_faces
from tests.tasks.forgetting.small import ADA, PEOPLE, gathered


def _zip(path: Path, data: bytes) -> None:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("inner", data)


def _arrow(path: Path, data: bytes) -> None:
    table = pa.table({"content": [b"other " * 10_000, data, data]})
    options = pa.ipc.IpcWriteOptions(compression="zstd")
    with pa.ipc.new_file(str(path), table.schema, options=options) as writer:
        writer.write_table(table)


def _parquet(path: Path, data: bytes) -> None:
    pq.write_table(pa.table({"content": [b"other", data]}), path, compression="zstd")


WAYS: dict[str, Callable[[Path, bytes], object]] = {
    "plain": lambda path, data: path.write_bytes(b"head" + data),
    "gzip": lambda path, data: path.write_bytes(gzip.compress(data)),
    "bzip2": lambda path, data: path.write_bytes(bz2.compress(data)),
    "zip": _zip,
    "parquet": _parquet,
    "compressed Arrow": _arrow,
}


@pytest.mark.parametrize("way", WAYS)
def test_a_photo_is_found_however_it_is_packed(way: str, small: Path) -> None:
    inspection = Inspection(gathered(small))
    for person in (ADA, "Bob"):
        WAYS[way](small / "file", (small / "photos" / person / "2.jpg").read_bytes())
        assert inspection.holds(small / "file", names=False) is (person == ADA)


def test_a_digest_and_a_name_are_found_in_compressed_tables(small: Path) -> None:
    person = gathered(small)
    digest = min(person.photos)
    inspection = Inspection(person)
    table = small / "t.parquet"
    pq.write_table(pa.table({"x": [digest], "identity": ["Bob"]}), table)
    assert inspection.holds(table)
    pq.write_table(pa.table({"x": ["nothing"], "identity": [ADA]}), table)
    assert inspection.holds(table)
    assert not inspection.holds(table, names=False)
    pq.write_table(pa.table({"x": [ADA], "identity": ["Bob"]}), table)  # not a column of names
    assert not inspection.holds(table)


def test_of_a_real_workspace_only_the_files_with_the_person_are_found(small: Path) -> None:
    inspection = Inspection(gathered(small))
    found = {
        path.relative_to(small).as_posix()
        for path in small.rglob("*")
        if path.is_file() and inspection.holds(path)
    }
    assert {f"photos/{ADA}/{number}.jpg" for number in (1, 2, 3)} <= found
    assert {"data/raw/manifest.parquet", "data/aligned/faces-0000.arrow", "reports/decisions.csv"} <= found
    assert {"data/embeddings/embeddings-0000.arrow", "data/cache/ingest/digests.arrow"} <= found
    assert not [name for name in found for person in PEOPLE[1:] if f"photos/{person}/" in name]
    assert not found & {"reports/history.csv", "params.yaml", "data/fingerprint.json"}


def test_rows_of_text_are_found_by_digest_and_by_name(small: Path) -> None:
    person = gathered(small)
    inspection = Inspection(person)
    header = ["digest", "identity", "why"]
    assert inspection.holds_row(header, [min(person.photos), "Bob", ""])
    assert inspection.holds_row(header, ["", ADA, ""])
    assert not inspection.holds_row(header, ["0" * 64, "Bob", ADA])


def test_values_are_names_or_lists_of_them_or_have_digests(small: Path) -> None:
    person = gathered(small)
    inspection = Inspection(person)
    for text in (ADA, f'["Bob", "{ADA}"]', f"the photo {min(person.photos)}"):
        assert inspection.holds_value(text)
    for text in (f"/srv/{ADA}/x", f'{{"by": "{ADA}"}}', '["Bob"]', "3", "null", ""):
        assert not inspection.holds_value(text)


def test_damaged_and_missing_files_have_nothing(small: Path) -> None:
    inspection = Inspection(gathered(small))
    for content in (b"PAR1 damaged", b"ARROW1", b"\x1f\x8b damaged", b"PK\x03\x04", b"", b"{", b"\xff"):
        (small / "file").write_bytes(content)
        assert not inspection.holds(small / "file")
    assert not inspection.holds(small / "gone")
    (small / "file").write_bytes(b"PAR1")
    assert column_names(small / "file") == []
    assert is_table(small / "file")


def test_pictures_and_pages_may_show_faces(small: Path) -> None:
    reports = small / "reports"
    shown = {path.name for path in reports.iterdir() if may_show_faces(path.name, path.read_bytes())}
    assert shown == {"report.html", "worst_errors.png"}
    assert may_show_faces("", (reports / "roc.png").read_bytes())  # a name that is not known
