"""A gallery that exists can be opened without its model; one that does not is not created."""

from pathlib import Path

import pytest

from service.gallery.binding import bound_model, open_existing
from service.gallery.errors import GalleryMissing
from tests.service.gallery.conftest import MODEL, SIZE, Opener


def test_the_model_of_a_gallery_is_read_from_it(place: str, opened: Opener) -> None:
    with pytest.raises(GalleryMissing, match="facenet enrol NAME PHOTO"):
        bound_model(place)
    opened(place)
    assert bound_model(place) == (MODEL, SIZE)
    with open_existing(place) as gallery:
        assert gallery.people().total == 0


def test_a_missing_gallery_is_not_created(tmp_path: Path) -> None:
    with pytest.raises(GalleryMissing, match=r"no gallery at .*/none\.db"):
        open_existing(tmp_path / "none.db")
    assert list(tmp_path.iterdir()) == []
