from tasks.ingest.records import MANIFEST_SCHEMA, Record, manifest_table


def test_a_record_is_kept_until_it_is_rejected() -> None:
    record = Record("folder", "Ann/1.jpg")
    assert record.kept
    record.reject("corrupt", "It is truncated.")
    assert (record.kept, record.status, record.reason) == (False, "corrupt", "It is truncated.")
    assert record.place == "folder: Ann/1.jpg"


def test_the_manifest_does_not_depend_on_the_order_of_records() -> None:
    records = [
        Record(
            "folder",
            "b.jpg",
            image_id="1",
            identity="Ann",
            role="train",
            width=3,
            height=4,
            mode="L",
            bytes=9,
        ),
        Record("folder", "a.jpg", image_id="1", identity="Ann", status="duplicate", reason="again"),
        Record("folder", "z.txt", status="unsupported", reason="no photo"),
        Record("lfw", "a.jpg", image_id="0", identity="Ann"),
    ]
    table = manifest_table(records, 1)
    assert table.schema == MANIFEST_SCHEMA
    assert table["path"].to_pylist() == ["z.txt", "a.jpg", "a.jpg", "b.jpg"]
    assert table["source"].to_pylist() == ["folder", "lfw", "folder", "folder"]
    assert manifest_table(records[::-1], 1) == table
    assert table.to_pylist()[0]["identity"] is None
