from pathlib import Path

import numpy as np
import pytest

from facenet.digests import file_digest
from facenet.images import encode
from tasks.forgetting.arrays import SourceArrays
from tasks.forgetting.located import Located
from tasks.forgetting.person import Person
from tasks.forgetting.place import Action

NAMES = np.array(["Ann", "Bob", "Ann", "Cy"])
PHOTOS = np.random.default_rng(1).integers(0, 256, (4, 20, 20, 3), np.uint8)


@pytest.fixture
def place(tmp_path: Path) -> SourceArrays:
    np.save(tmp_path / "images.npy", PHOTOS)
    np.save(tmp_path / "names.npy", NAMES)
    (tmp_path / "params.yaml").write_text(f"sha256: {file_digest(tmp_path / 'images.npy')}\n")
    (tmp_path / "list.txt").write_text("a list")
    names = ("list.txt", "images.npy", "names.npy")
    return SourceArrays(tmp_path, [Located(tmp_path / name, inside=True) for name in names])


def _state(root: Path) -> tuple[list[str], list[list[int]]]:
    photos = np.load(root / "images.npy")
    return np.load(root / "names.npy").tolist(), [photo[0, 0].tolist() for photo in photos]


def test_the_rows_of_a_person_go(place: SourceArrays) -> None:
    person = Person(identities={"Ann"})
    (finding,) = place.find(person)
    assert (finding.action, finding.count) == (Action.REWRITE, 2)
    assert len(person.photos) == 2
    place.erase(person, [finding])
    assert _state(place.root) == (["Bob", "Cy"], [PHOTOS[1][0, 0].tolist(), PHOTOS[3][0, 0].tolist()])
    digest = file_digest(place.root / "images.npy")
    assert (place.root / "params.yaml").read_text() == f"sha256: {digest}\n"
    assert place.find(person) == []


def test_one_photo_goes_by_the_digest_of_its_png(place: SourceArrays) -> None:
    person = Person()
    person.add_photo(encode(PHOTOS[1], "png"))
    place.erase(person, place.find(person))
    assert _state(place.root)[0] == ["Ann", "Ann", "Cy"]


def test_an_interruption_between_the_two_files_is_finished(place: SourceArrays) -> None:
    person = Person(identities={"Ann"})
    place.find(person)
    np.save(place.root / "images.npy", PHOTOS[[1, 3]])
    (finding,) = place.find(person)
    place.erase(person, [finding])
    assert _state(place.root)[0] == ["Bob", "Cy"]
    assert place.find(person) == []


def test_arrays_outside_the_workspace_are_named(place: SourceArrays) -> None:
    outside = [Located(source.path, inside=False) for source in place.sources]
    (finding,) = SourceArrays(place.root, outside).find(Person(identities={"Cy"}))
    assert finding.action is Action.LEFT


def test_an_array_with_code_is_not_loaded(place: SourceArrays, caplog: pytest.LogCaptureFixture) -> None:
    np.save(place.root / "names.npy", np.array([{"a": 1}], object), allow_pickle=True)
    assert place.find(Person(identities={"Ann"})) == []
    assert "names.npy is not searched" in caplog.text
