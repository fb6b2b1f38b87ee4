import logging

import pytest

from tasks.ingest.advice import no_usable_photo, warn_of_useless_sources
from tasks.ingest.archives import LAYOUT
from tasks.ingest.records import Record


def test_each_reason_is_counted_with_an_example() -> None:
    records = [Record("folder", f"{n}.jpg", status="misplaced", reason="It is outside.") for n in range(3)]
    records.append(Record("lfw", "a.txt", status="unsupported", reason="It is text."))
    assert no_usable_photo(records).splitlines() == [
        "No photo is usable. Files found: 4.",
        "  3 misplaced, such as folder: 0.jpg: It is outside.",
        "  1 unsupported, such as lfw: a.txt: It is text.",
        LAYOUT,
    ]


def test_photos_one_level_too_deep_get_the_folder_to_add() -> None:
    paths = ["lfw/Ann/1.jpg", "lfw/Bob/1.jpg"]
    records = [Record("folder", path, status="misplaced", reason="x") for path in paths]
    assert "lie in the folder lfw: add it to the path of the source" in no_usable_photo(records)
    assert "add it" not in no_usable_photo([*records, Record("folder", "1.jpg", status="misplaced")])


def test_an_empty_source_is_named_as_such() -> None:
    assert no_usable_photo([]) == f"The sources have no files. {LAYOUT}"


def test_only_sources_without_a_usable_photo_are_warned_of(caplog: pytest.LogCaptureFixture) -> None:
    records = [
        Record("folder", "Ann/1.jpg"),
        Record("folder", "x.txt", status="unsupported", reason="It is text."),
    ]
    records.append(Record("folder-2", "1.jpg", status="misplaced", reason="It is outside."))
    with caplog.at_level(logging.WARNING):
        warn_of_useless_sources(records)
    assert [record.getMessage().splitlines()[:2] for record in caplog.records] == [
        [
            "Source folder-2: No photo is usable. Files found: 1.",
            "  1 misplaced, such as folder-2: 1.jpg: It is outside.",
        ]
    ]
