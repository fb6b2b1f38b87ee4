"""The table of attributes against a loop over the records."""

import pyarrow as pa

from tasks.ingest.attributes import attribute_counts, attributes_table
from tasks.ingest.records import Record

NAMES = {"celeba": ("Young", "Bald"), "celeba-2": ("Bald", "Smiling"), "orl": ()}


def _record(image_id: str, source: str, attributes: bytes | None, status: str = "kept") -> Record:
    return Record(source, f"{image_id}.jpg", image_id=image_id, status=status, attributes=attributes)


RECORDS = [
    _record("d", "celeba", b"\1\0"),
    _record("c", "celeba", None),
    _record("b", "celeba", b"\1\1", "duplicate"),  # the kept one has no attributes
    _record("b", "orl", None),
    _record("a", "celeba", b"\0\0", "duplicate"),
    _record("a", "celeba-2", b"\1\1"),  # kept, so its row counts
    _record("x", "celeba", b"\1\1", "corrupt"),
]


def test_each_photo_with_attributes_has_a_row() -> None:
    table = attributes_table(RECORDS, NAMES, {"a", "b", "c", "d"})
    assert table.schema == pa.schema(
        {"image_id": pa.string(), "Young": pa.bool_(), "Bald": pa.bool_(), "Smiling": pa.bool_()}
    )
    assert table.to_pylist() == [
        {"image_id": "a", "Young": None, "Bald": True, "Smiling": True},
        {"image_id": "b", "Young": True, "Bald": True, "Smiling": None},
        {"image_id": "d", "Young": True, "Bald": False, "Smiling": None},
    ]


def test_without_attributes_the_table_is_empty() -> None:
    table = attributes_table(RECORDS[3:4], {"orl": ()}, {"b"})
    assert (table.schema.names, table.num_rows) == (["image_id"], 0)


def test_photos_without_a_row_are_counted() -> None:
    assert attribute_counts(RECORDS, NAMES) == {"attributes": {"photos": 2, "photos_without": 1}}
    assert attribute_counts(RECORDS, {"orl": ()}) == {}
