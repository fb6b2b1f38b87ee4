import shutil
from pathlib import Path

import pytest

from tasks.forgetting.located import Located
from tasks.forgetting.person import Person
from tasks.forgetting.place import Action
from tasks.forgetting.sources import SourceFolders, photos_of_others
from tests.tasks.forgetting.small import ADA, gathered


@pytest.fixture
def place(small: Path) -> SourceFolders:
    return SourceFolders(small, [Located(small / "photos", inside=True)])


def _names(place: SourceFolders, person: Person) -> list[str]:
    return [Path(finding.what).relative_to(place.root).as_posix() for finding in place.find(person)]


def test_photos_go_with_everything_in_the_folder_of_the_person_and_copies_elsewhere(
    small: Path, place: SourceFolders
) -> None:
    folder = small / "photos" / ADA
    person = gathered(small)
    shutil.copy(folder / "2.jpg", small / "photos" / "Bob" / "wrong.jpg")
    shutil.copy(small / "photos" / "Bob" / "1.jpg", folder / "bob.jpg")  # somebody else's photo
    (folder / "new.jpg").write_bytes(b"not ingested yet")
    (folder / ".hidden").touch()
    expected = {f"photos/{ADA}/{name}" for name in (".hidden", "1.jpg", "2.jpg", "3.jpg", "new.jpg")}
    assert set(_names(place, person)) == {*expected, "photos/Bob/wrong.jpg"}
    place.erase(person, place.find(person))
    assert [path.name for path in folder.iterdir()] == ["bob.jpg"]
    assert place.find(person) == []
    (folder / "bob.jpg").unlink()
    assert (small / "photos" / "Bob" / "1.jpg").exists()


def test_an_empty_folder_goes_and_the_source_stays(small: Path, place: SourceFolders) -> None:
    person = Person(identities={ADA})
    place.erase(person, place.find(person))
    assert not (small / "photos" / ADA).exists()
    assert len(person.photos) == 3  # found without the manifest's help
    for name in ("Bob", "Cy", "Di", "Eve", "Flo"):
        other = Person(identities={name})
        place.erase(other, place.find(other))
    assert list((small / "photos").iterdir()) == []


def test_behind_a_link_only_the_link_goes(small: Path, tmp_path: Path, place: SourceFolders) -> None:
    target = tmp_path / "elsewhere"
    (small / "photos" / ADA).rename(target)
    (small / "photos" / ADA).symlink_to(target)
    person = gathered(small)
    findings = place.find(person)
    assert [finding.action for finding in findings] == [Action.REMOVE, Action.LEFT]
    assert findings[1].what == str(target)
    place.erase(person, findings)
    assert not (small / "photos" / ADA).is_symlink()
    assert len(list(target.iterdir())) == 3


def test_a_folder_outside_the_workspace_is_named_and_stays(small: Path) -> None:
    place = SourceFolders(small, [Located(small / "photos", inside=False)])
    (finding,) = place.find(Person(identities={ADA}))
    assert (finding.action, finding.count) == (Action.LEFT, 3)
    place.erase(Person(identities={ADA}), [finding])
    assert len(list((small / "photos" / ADA).iterdir())) == 3


def test_one_photo_is_found_by_its_digest(small: Path, place: SourceFolders) -> None:
    person = Person()
    person.add_photo((small / "photos" / ADA / "1.jpg").read_bytes())
    assert _names(place, person) == [f"photos/{ADA}/1.jpg"]


def test_the_photos_of_others_are_those_of_the_manifest(small: Path) -> None:
    manifest = small / "data" / "raw" / "manifest.parquet"
    others = photos_of_others(manifest, Person(identities={ADA}))
    assert len(others) == 15
    assert others.isdisjoint(gathered(small).photos)
    assert photos_of_others(small / "gone", Person()) == set()
