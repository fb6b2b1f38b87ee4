"""After a removal no byte of the person is in any file of the store."""

import subprocess
import tempfile
from collections.abc import Callable
from pathlib import Path

import pytest

from faults.cluster import Cluster
from service.gallery import Enrolment, Gallery
from service.gallery import erasure as module
from service.gallery.database import Database
from service.gallery.erasure import erase
from service.gallery.errors import ErasureIncomplete

Photo = Callable[..., Enrolment]
Opener = Callable[..., Gallery]
NAME, KEY = "Sir Lancelot-Gobbo du Lac", b"sirlancelotgobbodulac"


def found_in(folder: Path, traces: list[bytes]) -> set[int]:
    """Return which of these sequences of bytes are in any file of a folder.

    Copies are searched: closing an SQLite file here would drop the locks of open galleries.
    """
    with tempfile.TemporaryDirectory() as copy:
        subprocess.run(["cp", "--recursive", folder, copy], check=True)
        contents = [path.read_bytes() for path in Path(copy).rglob("*") if path.is_file()]
    return {number for number, trace in enumerate(traces) if any(trace in content for content in contents)}


def enrolled(gallery: Gallery, photo: Photo) -> list[bytes]:
    """Enrol a person among others and return all their content."""
    mine = [photo(keep=True), photo()]
    for number in range(60):
        if number == 30:
            gallery.enrol(NAME, mine[:1], by="me")
        gallery.enrol(f"Knight {number * 77 % 60}", [photo(keep=number % 3 == 0)], by="me")
    gallery.enrol(NAME, mine[1:], by="me")
    assert mine[0].photo is not None
    templates = [entry.template.tobytes() for entry in mine]
    return [NAME.encode(), KEY, mine[0].photo, *templates, *(bytes.fromhex(entry.sha256) for entry in mine)]


def test_no_file_of_sqlite_has_a_byte_of_a_removed_person(
    opened: Opener, tmp_path: Path, photo: Photo
) -> None:
    gallery, other = opened(tmp_path / "g.db"), opened(tmp_path / "g.db")
    traces = enrolled(gallery, photo)
    other.snapshot()  # its connection stays open
    assert found_in(tmp_path, traces) == set(range(len(traces)))
    assert gallery.remove(NAME).remark == ""
    assert found_in(tmp_path, traces) == set()
    assert len(other.snapshot().names) == 60


@pytest.mark.server
def test_no_file_of_postgresql_has_a_byte_of_a_removed_person(
    opened: Opener, postgresql: Cluster, photo: Photo
) -> None:
    gallery = opened(postgresql.url)
    traces = enrolled(gallery, photo)
    assert found_in(postgresql.data, traces) == set(range(len(traces)))
    removal = gallery.remove(NAME)
    assert found_in(postgresql.data, traces) == set()
    assert (removal.photos, removal.remark) == (2, "")
    gallery.rename("Knight 7", "Knight 700")
    assert found_in(postgresql.data, [b"Knight 7\0"]) == set()


def test_an_old_name_is_erased_and_a_photo_of_many(opened: Opener, tmp_path: Path, photo: Photo) -> None:
    gallery = opened(tmp_path / "g.db")
    traces = enrolled(gallery, photo)
    gallery.rename(NAME, "Galahad")
    assert found_in(tmp_path, traces) == set(range(2, len(traces)))
    gallery.remove_photo("galahad", traces[5].hex())
    assert found_in(tmp_path, traces) == {4, 6}


def test_a_copy_of_a_row_that_sqlite_moved_is_erased_by_a_rewrite(
    gallery: Gallery, photo: Photo, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls = []
    monkeypatch.setattr(module, "_rewrite", lambda *_: calls.append("rewrite"))

    def failing(*_: object) -> bool:
        raise OSError

    cases: list[tuple[Callable[..., bool], list[str]]] = [
        (lambda *_: False, []),
        (lambda *_: True, ["rewrite"]),
        (failing, ["rewrite"] * 2),
    ]
    for search, expected in cases:
        gallery.enrol("Ada", [photo()], by="me")
        monkeypatch.setattr(module, "holds", search)
        gallery.remove("Ada")
        assert calls == expected


def test_a_reader_that_does_not_end_is_reported_and_the_next_opening_erases(
    opened: Opener, tmp_path: Path, photo: Photo, monkeypatch: pytest.MonkeyPatch
) -> None:
    gallery = opened(tmp_path / "g.db")
    traces = enrolled(gallery, photo)
    database: Database = gallery._store.database
    monkeypatch.setattr("service.gallery.gallery.erase", lambda *arguments: erase(*arguments, seconds=0.1))
    with database.reading() as reader:
        reader.exec_driver_sql("SELECT * FROM gallery_info").all()
        with pytest.raises(
            ErasureIncomplete, match=r"removed from the gallery .*g\.db, but others have been"
        ):
            gallery.remove(NAME)
    assert NAME not in gallery.snapshot().names
    assert found_in(tmp_path, traces)
    monkeypatch.undo()
    again = opened(tmp_path / "g.db")
    assert found_in(tmp_path, traces) == set()
    with again._store.reading() as connection:
        assert again._store.state(connection).unerased is None
