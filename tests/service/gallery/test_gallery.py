"""The gallery as its callers use it, in both databases."""

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest

from service.gallery import Enrolment, Gallery, Removal
from service.gallery.errors import EnrolmentInvalid, NameInvalid, PersonUnknown, PhotoUnknown, StoreFailed
from tests.disks import small_disk

Photo = Callable[..., Enrolment]
Opener = Callable[..., Gallery]


def test_people_are_enrolled_found_renamed_and_removed(opened: Opener, place: str, photo: Photo) -> None:
    gallery = opened(place)
    ada, bob, more = [photo(keep=True), photo()], [photo()], photo()
    done = gallery.enrol("Ada Lovelace", ada, by="me")
    assert (done.person.name, done.person.photos, done.added) == (
        "Ada Lovelace",
        2,
        tuple(e.sha256 for e in ada),
    )
    gallery.enrol("Bob", bob, by="me")
    again = gallery.enrol("ADA_LOVELACE", [ada[0], more, more], by="me")
    assert (again.added, again.already) == ((more.sha256,), (ada[0].sha256, more.sha256))
    assert (again.person.name, again.person.photos) == ("Ada Lovelace", 3)

    found = gallery.search(np.stack([more.template, bob[0].template]), 2)
    assert [found.snapshot.names[number] for number in found.people[:, 0]] == ["Ada Lovelace", "Bob"]
    np.testing.assert_allclose(found.scores[:, 0], 1, rtol=1e-6)
    assert gallery.people_with(bob[0].sha256) == ("Bob",)
    _, photos = gallery.person("ada lovelace")
    assert gallery.photo(photos[0].id) == ada[0].photo
    with pytest.raises(PhotoUnknown, match="does not have the bytes of photo"):
        gallery.photo(photos[1].id)

    assert gallery.rename("bob", "Charles Babbage").name == "Charles Babbage"
    with pytest.raises(PhotoUnknown, match="'Ada Lovelace' has 0 photos whose digest begins with 'xyz'"):
        gallery.remove_photo("Ada Lovelace", "xyz")
    assert gallery.remove_photo("Ada Lovelace", more.sha256[:16].upper()).photos == 1
    assert gallery.remove("Ada Lovelace") == Removal("Ada Lovelace", 2, gone=True)
    assert gallery.remove_photo("charles babbage", bob[0].sha256) == Removal("Charles Babbage", 1, gone=True)
    assert (
        gallery.people().total
        == len(gallery.snapshot())
        == gallery.info().photos
        == gallery.info().stored
        == 0
    )
    with pytest.raises(PersonUnknown):
        gallery.remove("Bob")


def test_what_is_refused_changes_nothing(opened: Opener, place: str, photo: Photo) -> None:
    gallery = opened(place)
    version = gallery.version
    with pytest.raises(NameInvalid):
        gallery.enrol("\n", [photo()], by="me")
    with pytest.raises(EnrolmentInvalid):
        gallery.enrol("Ada", [photo(), photo(5)], by="me")
    with pytest.raises(PersonUnknown):
        gallery.rename("Ada", "Bob")
    assert gallery.version == version
    assert gallery.people().people == ()


def test_names_survive_exactly_and_cannot_inject(opened: Opener, place: str, photo: Photo) -> None:
    names = [
        "Robert'); DROP TABLE gallery_people;--",
        "<script>alert(1)</script>",
        "Zoe\u0308 \U0001d505all 🙂",
        "50%_\\",
    ]
    gallery = opened(place)
    for name in names:
        gallery.enrol(name, [photo()], by=name)
    assert gallery.snapshot().names == tuple(names)
    assert {gallery.person(name)[1][0].by for name in names} == set(names)
    assert gallery.people(search="%").total == 0


def test_threads_share_an_open_gallery(gallery: Gallery, photo: Photo) -> None:
    entries = {f"person {number}": photo() for number in range(24)}

    def work(names: list[str]) -> int:
        for name in names:
            gallery.enrol(name, [entries[name]], by="me")
            found = gallery.search(entries[name].template[None])
            assert found.snapshot.names[found.people[0, 0]] == name
        return len(names)

    with ThreadPoolExecutor(4) as threads:
        assert sum(threads.map(work, [sorted(entries)[start::4] for start in range(4)])) == 24
    assert sorted(gallery.snapshot().names) == sorted(entries)


def test_the_gallery_closes_its_files(tmp_path: Path, photo: Photo) -> None:
    with Gallery.open(tmp_path / "g.db", model_digest="a", template_size=16) as gallery:
        gallery.enrol("Ada", [photo()], by="me")
        assert str(gallery) == str(tmp_path / "g.db")
    assert [path.name for path in tmp_path.iterdir()] == ["g.db"]


def fill(gallery: Gallery, photo: Photo, acknowledged: list[str]) -> None:
    while True:
        name = f"person {len(acknowledged)}"
        gallery.enrol(name, [photo(keep=True, content=os.urandom(20_000)) for _ in range(3)], by="me")
        acknowledged.append(name)


def test_a_full_disk_loses_doubles_and_halves_nothing(opened: Opener, tmp_path: Path, photo: Photo) -> None:
    with small_disk(tmp_path / "disk", 1500) as folder:
        gallery, acknowledged = opened(folder / "g.db"), list[str]()
        with pytest.raises(StoreFailed, match="the disk is full"):
            fill(gallery, photo, acknowledged)
        assert len(acknowledged) > 2
        for reader in (gallery, opened(folder / "g.db")):
            snapshot = reader.snapshot()
            assert list(snapshot.names) == acknowledged
            assert np.bincount(snapshot.owners).tolist() == [3] * len(acknowledged)
        with suppress(StoreFailed):  # it needs space as well
            gallery.remove(acknowledged[0])
        left = gallery.snapshot()
        assert list(left.names) in (acknowledged, acknowledged[1:])
        assert len(left) == 3 * len(left.names)
        gallery.close()
