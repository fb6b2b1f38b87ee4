from pathlib import Path

import pytest

from facenet.errors import DataInvalid
from tasks.forgetting.journal import JOURNAL, Journal
from tasks.forgetting.person import Person
from tests.tasks.forgetting.small import ADA, gathered


def test_a_journal_is_read_as_it_was_written_and_removed(small: Path) -> None:
    assert Journal.read(small) is None
    journal = Journal(gathered(small), "person-1", "2026-12-01T00:00:00Z", "asked", ["sources"])
    journal.write(small)
    assert Journal.read(small) == journal
    journal.remove(small)
    assert Journal.read(small) is None
    assert not (small / JOURNAL).parent.exists()


def test_it_is_recognised_by_the_request(small: Path) -> None:
    photo = small / "photos" / ADA / "1.jpg"
    whole = Journal(gathered(small), "person-1", "", "")
    assert whole.means(ADA, None)
    assert not whole.means("Bob", None)
    assert not whole.means(None, str(photo))  # the request was about the person
    single = Person()
    single.add_photo(photo.read_bytes())
    one = Journal(single, "person-2", "", "")
    assert one.means(None, str(photo))
    assert one.means(None, min(single.photos))
    assert not one.means(None, str(small / "photos" / "Bob" / "1.jpg"))
    assert not one.means(None, "a file that is gone")
    assert not one.means(ADA, None)


@pytest.mark.parametrize("text", ["", "{", "[]", '{"format": 2}', '{"format": 1}'])
def test_a_damaged_journal_is_an_error(text: str, tmp_path: Path) -> None:
    (tmp_path / JOURNAL).parent.mkdir(parents=True)
    (tmp_path / JOURNAL).write_text(text)
    with pytest.raises(DataInvalid, match="is not a valid journal"):
        Journal.read(tmp_path)
