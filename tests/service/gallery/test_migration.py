"""A gallery moves to another model whole, or not at all."""

import hashlib
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pytest

from facenet.results import Face, PhotoError, Quality
from service.gallery import Enrolment, Gallery
from service.gallery import migration as module
from service.gallery.errors import MigrationRefused, ModelDiffers
from service.gallery.migration import Migration, migrate
from tests.service.gallery.test_erasure import found_in

Photo = Callable[..., Enrolment]
Opener = Callable[..., Gallery]
NEW, SIZE = "c" * 64, 24


def template_of(photo: bytes) -> np.ndarray:
    """Return what the new model makes of a photo."""
    template = np.frombuffer(hashlib.sha512(photo).digest()[:SIZE], np.uint8).astype(np.float32)
    return template / np.linalg.norm(template)


def embed(photos: Sequence[bytes]) -> list[Face | PhotoError]:
    return [
        PhotoError("no_face", "no face was found")
        if photo.startswith(b"landscape")
        else Face((0, 0, 9, 9), None, 1.0, template_of(photo), Quality(9, 8, 7))
        for photo in photos
    ]


def test_stored_photos_are_embedded_again(opened: Opener, place: str, photo: Photo, monkeypatch) -> None:
    monkeypatch.setattr(module, "BATCH", 2)
    old = opened(place)
    entries = [photo(keep=True) for _ in range(5)]
    old.enrol("Ada", entries[:3], by="me")
    old.enrol("Bob", entries[3:], by="me")
    steps: list[tuple[int, int]] = []
    move = {"model_digest": NEW, "template_size": SIZE, "embed": embed}
    assert migrate(place, **move, progress=lambda *step: steps.append(step)) == Migration(5, 0, 2)
    assert steps == [(2, 5), (4, 5), (5, 5)]
    with pytest.raises(ModelDiffers):
        old.snapshot()
    new = opened(place, NEW, SIZE)
    snapshot = new.snapshot()
    for row, entry in zip(snapshot.templates, entries, strict=True):
        np.testing.assert_array_equal(row, template_of(entry.photo or b""))
    assert snapshot.names == ("Ada", "Bob")
    assert new.person("Ada")[1][0].quality == Quality(9, 8, 7)
    assert migrate(place, **move) == Migration(0, 0, 2)  # nothing to do


def test_old_templates_are_erased(opened: Opener, tmp_path: Path, photo: Photo) -> None:
    entry = photo(keep=True)
    with opened(tmp_path / "g.db") as gallery:
        gallery.enrol("Ada", [entry], by="me")
    migrate(tmp_path / "g.db", model_digest=NEW, template_size=SIZE, embed=embed)
    assert found_in(tmp_path, [entry.template.tobytes(), template_of(entry.photo or b"").tobytes()]) == {1}


def test_photos_that_cannot_be_embedded_stop_it_unless_they_are_dropped(
    opened: Opener, place: str, photo: Photo
) -> None:
    old = opened(place)
    old.enrol("Ada", [photo(keep=True), photo()], by="me")
    old.enrol("Bob", [photo()], by="me")
    old.enrol("Carol", [photo(keep=True, content=b"landscape")], by="me")
    move = {"model_digest": NEW, "template_size": SIZE, "embed": embed}
    with pytest.raises(
        MigrationRefused, match=r"3 of 4 photos .* of Ada, Bob, Carol\. .* `facenet gallery migrate --drop`"
    ):
        migrate(place, **move)
    assert old.info().photos == 4  # still the old model's
    assert migrate(place, **move, drop=True) == Migration(1, 3, 1)
    assert opened(place, NEW, SIZE).snapshot().names == ("Ada",)


def test_people_who_come_and_go_meanwhile_are_not_lost(opened: Opener, tmp_path: Path, photo: Photo) -> None:
    old = opened(tmp_path / "g.db")
    old.enrol("Ada", [photo(keep=True)], by="me")
    old.enrol("Bob", [photo(keep=True)], by="me")
    calls = []

    def slow(photos: Sequence[bytes]) -> list[Face | PhotoError]:
        if not calls:
            old.enrol("Carol", [photo(keep=True)], by="me")
            old.remove("Bob")
        calls.append(len(photos))
        return embed(photos)

    done = migrate(tmp_path / "g.db", model_digest=NEW, template_size=SIZE, embed=slow)
    assert (done, calls) == (Migration(2, 0, 2), [2, 1])
    assert opened(tmp_path / "g.db", NEW, SIZE).snapshot().names == ("Ada", "Carol")


def test_a_failure_leaves_the_old_gallery(opened: Opener, place: str, photo: Photo) -> None:
    old = opened(place)
    old.enrol("Ada", [photo(keep=True)], by="me")

    def wrong(photos: Sequence[bytes]) -> list[Face | PhotoError]:
        return [Face((0, 0, 9, 9), None, 1.0, np.ones(3, np.float32)) for _ in photos]

    with pytest.raises(ValueError, match=r"shape \(3,\), not \(24,\)"):
        migrate(place, model_digest=NEW, template_size=SIZE, embed=wrong)
    assert old.info().photos == 1
