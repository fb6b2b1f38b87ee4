import pytest

from tasks.ingest.records import Record
from tasks.ingest.sources.layout import place_by_folder


def _place(*paths: str, wrapped: bool = True) -> dict[str, str | None]:
    records = [Record("folder", path) for path in paths]
    for record in records:
        if record.path.endswith(".txt"):
            record.reject("unsupported", "no photo")
    place_by_folder(records, wrapped=wrapped)
    for record in records:
        assert record.kept == (record.identity is not None) or record.status == "unsupported"
        assert record.status in ("kept", "misplaced", "unsupported")
    return {record.path: record.identity for record in records}


@pytest.mark.parametrize("wrapped", [True, False])
def test_the_folder_is_the_person(wrapped: bool) -> None:
    found = _place("Ann/1.jpg", "Bob/1.jpg", "Bob/2.jpg", wrapped=wrapped)
    assert found == {"Ann/1.jpg": "Ann", "Bob/1.jpg": "Bob", "Bob/2.jpg": "Bob"}


def test_outer_folders_of_an_archive_are_skipped() -> None:
    assert _place("lfw/Ann/1.jpg", "lfw/Bob/1.jpg") == {"lfw/Ann/1.jpg": "Ann", "lfw/Bob/1.jpg": "Bob"}
    assert _place("a/b/Ann/1.jpg", "a/b/Bob/1.jpg", "readme.txt", "a/pairs.txt")["a/b/Ann/1.jpg"] == "Ann"


def test_outer_folders_of_a_directory_are_not_skipped() -> None:
    assert set(_place("lfw/Ann/1.jpg", "lfw/Bob/1.jpg", wrapped=False).values()) == {None}


def test_a_single_person_is_not_an_outer_folder() -> None:
    assert _place("Ann/1.jpg", "Ann/2.jpg", "Ann/old/3.jpg") == {
        "Ann/1.jpg": "Ann",
        "Ann/2.jpg": "Ann",
        "Ann/old/3.jpg": None,
    }
    assert _place("all/Ann/1.jpg") == {"all/Ann/1.jpg": "Ann"}


def test_photos_above_and_below_the_folders_of_people_are_misplaced() -> None:
    found = _place("1.jpg", "Ann/1.jpg", "Ann/deep/2.jpg")
    assert found == {"1.jpg": None, "Ann/1.jpg": "Ann", "Ann/deep/2.jpg": None}


@pytest.mark.parametrize("status", ["hidden", "unsafe", "superseded"])
def test_files_of_nobody_get_no_identity(status: str) -> None:
    record = Record("folder", "@eaDir/1.jpg", status=status, reason="x")
    place_by_folder([record, Record("folder", "Ann/1.jpg")], wrapped=False)
    assert (record.identity, record.status) == (None, status)


def test_the_reason_says_whether_a_photo_lies_outside_or_too_deep() -> None:
    records = [Record("folder", path) for path in ("1.jpg", "Ann/1.jpg", "Ann/old/1.jpg")]
    place_by_folder(records, wrapped=False)
    assert [record.reason.partition(":")[0] for record in records] == [
        "The photo lies outside the folders of people",
        "",
        "The photo lies in a folder too deep",
    ]


def test_names_become_nfc() -> None:
    assert _place("Zoe\u0308/1.jpg", "Zo\u00eb/2.jpg") == {
        "Zoe\u0308/1.jpg": "Zo\u00eb",
        "Zo\u00eb/2.jpg": "Zo\u00eb",
    }


def test_an_empty_source_has_no_people() -> None:
    assert _place() == {}
