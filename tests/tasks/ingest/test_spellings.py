import logging

import pytest

from facenet.errors import SourceInvalid
from tasks.ingest.records import Record
from tasks.ingest.spellings import unite_spellings


def _records() -> list[Record]:
    people = ["Zoë Ball", "zoe_ball", "zoe_ball", "Ann", "ANN", "Bob", None]
    records = [Record("folder", f"{place}.jpg", identity=name) for place, name in enumerate(people)]
    records.append(Record("lfw", "7.jpg", identity="BOB", status="corrupt"))
    records.append(Record("lfw", "8.jpg", identity="ZOE BALL", status="corrupt"))
    return records


FOUND = ["Ann = ANN", "zoe_ball = Zoë Ball"]


def test_merge_uses_the_spelling_with_most_photos_or_the_first(caplog: pytest.LogCaptureFixture) -> None:
    records = _records()
    with caplog.at_level(logging.WARNING):
        assert unite_spellings(records, "merge") == FOUND
    names = [record.identity for record in records]
    assert names == ["zoe_ball", "zoe_ball", "zoe_ball", "Ann", "Ann", "Bob", None, "BOB", "zoe_ball"]
    assert "2 people have several spellings" in caplog.text


def test_warn_changes_nothing_and_says_how_to_merge(caplog: pytest.LogCaptureFixture) -> None:
    records = _records()
    with caplog.at_level(logging.WARNING):
        assert unite_spellings(records, "warn") == FOUND
    assert records == _records()
    assert "Ann = ANN; zoe_ball = Zoë Ball" in caplog.text
    assert "set ingest.same_name to merge" in caplog.text


def test_refuse_is_an_error_with_examples() -> None:
    with pytest.raises(SourceInvalid, match=r"such as Ann = ANN; zoe_ball = Zoë Ball\. Rename"):
        unite_spellings(_records(), "refuse")


def test_identifiers_with_numbers_are_not_spellings() -> None:
    records = [Record("folder", name, identity=name) for name in ("1_12", "11_2", "n01", "n1")]
    assert unite_spellings(records, "refuse") == []
