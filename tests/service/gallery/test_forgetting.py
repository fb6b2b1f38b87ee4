"""A person is found in a gallery by name, and by photos under other names; nothing of them stays."""

from collections.abc import Callable
from pathlib import Path

from service.gallery import Enrolment, Gallery
from service.gallery.forgetting import EnrolledPeople
from tasks.forgetting.person import Person

Photo = Callable[..., Enrolment]
Opener = Callable[..., Gallery]


def test_people_and_their_photos_under_other_names_go(place: str, opened: Opener, photo: Photo) -> None:
    first, second, third = photo(), photo(keep=True), photo()
    gallery = opened(place)
    gallery.enrol("ada_lovelace", [first, second], by="me")
    gallery.enrol("Countess", [first, third], by="me")
    gallery.enrol("Bob", [photo()], by="me")
    gallery.close()
    person = Person(identities={"Ada Lovelace"}, photos={first.sha256, "ab" * 32})
    enrolled = EnrolledPeople(place)
    findings = enrolled.find(person)
    assert [finding.count for finding in findings] == [2, 1]
    assert findings[0].what.endswith(": ada_lovelace")
    assert findings[1].what.endswith(f": photo {first.sha256[:12]} of Countess")
    enrolled.erase(person, findings)
    assert [finding for finding in enrolled.find(person) if finding.what != str(gallery)] == []
    again = opened(place)
    assert [(p.name, p.photos) for p in again.people().people] == [("Bob", 1), ("Countess", 1)]
    if "://" not in place:
        stored = b"".join(path.read_bytes() for path in Path(place).parent.iterdir())
        assert b"lovelace" not in stored
        for gone in (first, second):
            assert gone.template.tobytes() not in stored
            assert bytes.fromhex(gone.sha256) not in stored


def test_all_names_are_listed_and_a_missing_gallery_has_none(
    tmp_path: Path, opened: Opener, photo: Photo
) -> None:
    place = tmp_path / "g.db"
    assert EnrolledPeople(place).people() == []
    assert EnrolledPeople(place).find(Person(identities={"Bob"})) == []
    assert not place.exists()
    gallery = opened(place)
    for name in ("Bob", "Ann"):
        gallery.enrol(name, [photo()], by="me")
    gallery.close()
    assert EnrolledPeople(place).people() == ["Ann", "Bob"]
