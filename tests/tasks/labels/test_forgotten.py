import multiprocessing
from pathlib import Path

import pytest

from facenet.errors import DataInvalid
from tasks.labels.forgotten import ERASED, REFUSED, Entry, Forgotten, append, now, read_forgotten
from tasks.labels.pseudonyms import pseudonym

SALT, OTHER_SALT = "00112233445566ff", "ff00000000000000"
ADA = pseudonym("Ada", SALT)
WHEN = "2026-12-01T03:00:00Z"
HEAD = "digest,person,event,when,why,places\n"


def _refused(letter: str, person: str = ADA) -> Entry:
    return Entry(letter * 64, person, REFUSED, WHEN, "asked, by letter")


def test_rows_come_back_and_are_only_added(tmp_path: Path) -> None:
    path = tmp_path / "labels" / "forgotten.csv"
    assert read_forgotten(path) == Forgotten()
    append(path, [_refused("a"), _refused("b")])
    first = path.read_text()
    closing = Entry("", ADA, ERASED, WHEN, "", "data; reports")
    append(path, [_refused("a"), closing])  # the first one again, as after an interruption
    assert path.read_text().startswith(first)
    found = read_forgotten(path)
    assert found.entries == (_refused("a"), _refused("b"), closing)
    assert found.digests == {"a" * 64, "b" * 64}


def test_a_name_is_recognised_in_all_spellings(tmp_path: Path) -> None:
    path = tmp_path / "forgotten.csv"
    append(path, [_refused("a"), _refused("b", pseudonym("Bob/Bob_0001", OTHER_SALT))])
    found = read_forgotten(path)
    assert found.names("ADA")
    assert found.names("Bob/Bob_0001")
    assert not found.names("Bob")
    assert found.pseudonym("ada") == ADA
    assert Forgotten().pseudonym("ada") != ADA
    assert not Forgotten().names("Ada")


def test_the_digest_depends_on_what_is_refused_alone() -> None:
    rows = (_refused("a"), _refused("b"))
    assert Forgotten(rows).sha256 == Forgotten(rows[::-1]).sha256
    assert Forgotten(rows).sha256 != Forgotten(rows[:1]).sha256


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("digest,person\n", "line 1: expected digest,person,event"),
        ("", "line 1: expected digest,person,event"),
        (f"{HEAD}{'a' * 64},{ADA},refused,{WHEN}\n", "line 2: expected 6 columns, found 4"),
        (f"{HEAD}{'a' * 63},{ADA},refused,{WHEN},,\n", "line 2: digest 'a+' does not fit a row refused"),
        (f"{HEAD}{'a' * 64},{ADA},erased,{WHEN},,\n", "line 2: digest 'a+' does not fit a row erased"),
        (f"{HEAD}{'a' * 64},Ada,refused,{WHEN},,\n", "line 2: person 'Ada' is not a pseudonym"),
        (f"{HEAD},{ADA},kept,{WHEN},,\n", "line 2: event 'kept' is neither"),
    ],
)
def test_a_damaged_receipt_is_an_error_with_the_line(text: str, message: str, tmp_path: Path) -> None:
    path = tmp_path / "forgotten.csv"
    path.write_text(text)
    with pytest.raises(DataInvalid, match=message):
        read_forgotten(path)
    with pytest.raises(DataInvalid, match=message):
        append(path, [_refused("c")])
    assert path.read_text() == text


def test_a_receipt_that_is_not_text_is_an_error(tmp_path: Path) -> None:
    path = tmp_path / "forgotten.csv"
    path.write_bytes(b"\xff\xfe")
    with pytest.raises(DataInvalid, match="is not UTF-8"):
        read_forgotten(path)


def _append_some(path: Path, letters: str) -> None:
    for letter in letters:
        append(path, [_refused(letter)])


def test_two_processes_lose_no_row(tmp_path: Path) -> None:
    path = tmp_path / "forgotten.csv"
    context = multiprocessing.get_context("fork")
    writers = [context.Process(target=_append_some, args=(path, part)) for part in ("abc", "def")]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    assert read_forgotten(path).digests == {letter * 64 for letter in "abcdef"}


def test_the_time_is_utc_in_seconds() -> None:
    assert len(now()) == len(WHEN)
    assert now().endswith("Z")
