"""A gallery belongs to one model, and finishes what was interrupted."""

from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import text

from service.gallery import Enrolment, Gallery
from service.gallery import store as module
from service.gallery.errors import ModelDiffers, StoreFailed

Photo = Callable[..., Enrolment]
Opener = Callable[..., Gallery]


def test_another_model_is_refused_with_the_command(opened: Opener, place: str, photo: Photo) -> None:
    first = opened(place)
    first.enrol("Ada", [photo()], by="me")
    with pytest.raises(
        ModelDiffers, match=r"templates of the model aaaaaaaaaaaa, .* `facenet gallery migrate`"
    ):
        opened(place, model="b" * 64)
    with pytest.raises(ModelDiffers):
        opened(place, size=17)
    assert opened(place).info().people == 1


def test_a_gallery_that_another_process_bound_to_another_model_is_refused(
    gallery: Gallery, photo: Photo
) -> None:
    with gallery._store.changing() as connection:
        connection.execute(text("UPDATE gallery_info SET model_digest = 'b'"))
    for use in (
        gallery.snapshot,
        gallery.info,
        gallery.people,
        lambda: gallery.enrol("Ada", [photo()], by="me"),
    ):
        with pytest.raises(ModelDiffers):
            use()
    with gallery._store.database.writing() as connection:
        connection.execute(text("DELETE FROM gallery_info"))
    with pytest.raises(StoreFailed, match="damaged"):
        gallery.info()


def test_an_erasure_that_cannot_be_finished_does_not_keep_the_gallery_closed(
    opened: Opener, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    with opened(tmp_path / "g.db")._store.changing() as connection:
        connection.execute(text("UPDATE gallery_info SET unerased = 1"))

    def full(*_: object, **__: object) -> str:
        raise StoreFailed("the disk is full")

    with monkeypatch.context() as context:
        context.setattr(module, "erase", full)
        assert opened(tmp_path / "g.db").version == 1
    assert "is not erased yet: the disk is full" in caplog.text
    with opened(tmp_path / "g.db")._store.reading() as connection:
        assert connection.execute(text("SELECT unerased FROM gallery_info")).scalar() is None
