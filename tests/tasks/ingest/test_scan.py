import hashlib
from collections.abc import Collection, Iterator, Sequence
from pathlib import Path

from tasks.ingest.archives import Member
from tasks.ingest.records import Record
from tasks.ingest.scan import limits, scan
from tasks.ingest.sources import Opened
from tasks.ingest.spool import Spool
from tasks.ingest.verdict_cache import VerdictCache
from tests.tasks.ingest.settings import ingest_params
from tests.zoo import zoo

ZOO = zoo()


def _source(*members: Member) -> Opened:
    def files(_: int) -> Iterator[Member]:
        yield from members

    def place(records: Sequence[Record]) -> None:
        for record in records:
            record.identity, record.role = "Ann", "train"

    return Opened(files, place)


def _scan(
    folder: Path, *sources: Opened, workers: int = 1, refused: Collection[str] = ()
) -> tuple[list[Record], dict[str, bytes]]:
    named = [(f"s{place}", source) for place, source in enumerate(sources)]
    with Spool(folder) as spool:
        cache = VerdictCache(folder / "cache", limits(ingest_params()))
        records, _ = scan(named, ingest_params(), spool, cache, workers, refused=refused)
        stored = {r.image_id: spool.read(r.image_id) for r in records if r.kept and r.image_id}
    return records, stored


def test_records_are_sorted_by_source_and_path_whatever_the_archive_order(tmp_path: Path) -> None:
    jpeg, grey = ZOO["jpeg.jpg"].data, ZOO["jpeg_grey.jpg"].data
    records, stored = _scan(tmp_path, _source(Member("b.jpg", jpeg), Member("a.jpg", grey)), _source())
    assert [(r.source, r.path, r.mode) for r in records] == [("s0", "a.jpg", "L"), ("s0", "b.jpg", "RGB")]
    assert stored[hashlib.sha256(jpeg).hexdigest()] == jpeg
    assert stored[hashlib.sha256(grey).hexdigest()][:4] == b"\x89PNG"
    assert {record.identity for record in records} == {"Ann"}


def test_equal_bytes_are_decoded_once_stored_once_and_share_a_verdict(tmp_path: Path) -> None:
    jpeg = ZOO["jpeg.jpg"].data
    records, stored = _scan(
        tmp_path,
        _source(Member("1.jpg", jpeg), Member("2.jpg", jpeg), Member("3.jpg", b"x")),
        _source(Member("1.jpg", jpeg), Member("2.jpg", b"x")),
    )
    assert [record.status for record in records] == ["kept", "kept", "unsupported", "kept", "unsupported"]
    assert len({(r.width, r.height, r.mode, r.image_id) for r in records if r.kept}) == 1
    assert len(stored) == 1


def test_of_a_path_twice_the_later_file_is_used_whatever_it_is(tmp_path: Path) -> None:
    jpeg, grey = ZOO["jpeg.jpg"].data, ZOO["jpeg_grey.jpg"].data
    members = [Member("1.jpg", jpeg), Member("2.jpg", jpeg), Member("1.jpg", grey), Member("2.jpg", b"x")]
    records, stored = _scan(tmp_path, _source(*members), _source(Member("1.jpg", jpeg)))
    found = [(r.source, r.path, r.status) for r in records]
    assert found == [
        ("s0", "1.jpg", "superseded"),
        ("s0", "1.jpg", "kept"),
        ("s0", "2.jpg", "superseded"),
        ("s0", "2.jpg", "unsupported"),
        ("s1", "1.jpg", "kept"),
    ]
    assert records[1].image_id == hashlib.sha256(grey).hexdigest()
    assert set(stored) == {records[1].image_id, records[4].image_id}


def test_unread_files_have_no_image_id(tmp_path: Path) -> None:
    records, _ = _scan(tmp_path, _source(Member("a", None, "unsafe", "a link")))
    assert (records[0].image_id, records[0].bytes, records[0].status, records[0].reason) == (
        None,
        None,
        "unsafe",
        "a link",
    )


def test_a_forgotten_photo_is_refused_by_its_bytes_without_digest_and_person(tmp_path: Path) -> None:
    jpeg, grey = ZOO["jpeg.jpg"].data, ZOO["jpeg_grey.jpg"].data
    members = [Member("1.jpg", jpeg), Member("2.jpg", jpeg), Member("3.jpg", grey)]
    refused = hashlib.sha256(jpeg).hexdigest()
    records, stored = _scan(tmp_path, _source(*members), refused={refused})
    assert [record.status for record in records] == ["forgotten", "forgotten", "kept"]
    assert "labels/forgotten.csv" in records[0].reason
    for record in records[:2]:
        assert (record.image_id, record.bytes, record.identity, record.role) == (None, None, None, None)
    assert refused not in stored


def test_the_result_does_not_depend_on_the_number_of_workers(tmp_path: Path) -> None:
    source = _source(*(Member(name, animal.data) for name, animal in ZOO.items()))
    assert _scan(tmp_path, source) == _scan(tmp_path, source, workers=2)
