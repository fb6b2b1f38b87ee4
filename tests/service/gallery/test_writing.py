"""What each change does to the rows, and which content it leaves to be erased."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from service.gallery import Enrolment, Gallery
from service.gallery.errors import EnrolmentInvalid, NameTaken
from service.gallery.reading import find_person
from service.gallery.writing import checked, remove, rename

Photo = Callable[..., Enrolment]


def test_templates_that_do_not_fit_are_refused(photo: Photo) -> None:
    good = photo()
    checked([good], 16, "Ada")
    with pytest.raises(EnrolmentInvalid, match="no photo to enrol for 'Ada'"):
        checked([], 16, "Ada")
    with pytest.raises(EnrolmentInvalid, match=r"shape \(16,\), and the gallery's have \(8,\)"):
        checked([good], 8, "Ada")
    for value in (0, np.nan, np.inf):
        bad = replace(good, template=np.full(16, value, np.float32))
        with pytest.raises(
            EnrolmentInvalid, match=f"photo {good.sha256[:12]} for 'Ada' is zero, or not finite"
        ):
            checked([good, bad], 16, "Ada")


def test_a_removal_names_all_content_that_was_stored(gallery: Gallery, photo: Photo) -> None:
    kept, plain = photo(keep=True), photo()
    gallery.enrol("Zoë Ball", [kept, plain], by="me")
    with gallery._store.changing() as connection:
        change = remove(connection, find_person(connection, "zoe ball", gallery))
    assert (change.version, change.photos, change.gone) == (3, 2, True)
    assert change.traces is not None
    assert set(change.traces) == {
        *(entry.template.tobytes() for entry in (kept, plain)),
        *(bytes.fromhex(entry.sha256) for entry in (kept, plain)),
        kept.photo,
        "Zoë Ball".encode(),
        b"zoeball",
    }


def test_after_an_interrupted_erasure_the_content_is_not_known(gallery: Gallery, photo: Photo) -> None:
    gallery.enrol("Ada", [photo()], by="me")
    gallery.enrol("Bob", [photo()], by="me")
    for name, known in (("Ada", True), ("Bob", False)):
        with gallery._store.changing() as connection:
            change = remove(connection, find_person(connection, name, gallery))
        assert (change.traces is not None) == known


def test_a_new_spelling_is_the_same_person_and_another_name_must_be_free(
    gallery: Gallery, photo: Photo
) -> None:
    gallery.enrol("Zoe Ball", [photo()], by="me")
    gallery.enrol("Ada", [photo()], by="me")
    with gallery._store.changing() as connection:
        person = find_person(connection, "zoe ball", gallery)
        assert rename(connection, person, "Zoë Ball").traces == (b"Zoe Ball", b"zoeball")
        assert find_person(connection, "zoe ball", gallery).name == "Zoë Ball"
        with pytest.raises(NameTaken, match="'ADA' is the name of another person, 'Ada' with 1 photos"):
            rename(connection, person, "ADA")
