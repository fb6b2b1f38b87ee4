"""People are listed in pages, in one order in both databases."""

from collections.abc import Callable

import pytest

from service.gallery import Enrolment, Gallery
from service.gallery.errors import PersonUnknown
from service.gallery.reading import find_person, list_people, list_photos, people_with_photo, person_of_key

Photo = Callable[..., Enrolment]
Opener = Callable[..., Gallery]
NAMES = ["émile 2", "Zoë", "ada_L", "李小龍", "Emile 10", "adam", "a%b"]
ORDER = ["a%b", "ada_L", "adam", "émile 2", "Emile 10", "Zoë", "李小龍"]


def test_pages_join_to_all_people_in_the_order_of_their_folded_names(
    opened: Opener, place: str, photo: Photo
) -> None:
    gallery = opened(place)
    for number, name in enumerate(NAMES):
        gallery.enrol(name, [photo() for _ in range(number % 3 + 1)], by="me")
    after, found = None, []
    with gallery._store.reading() as connection:
        while True:
            page = list_people(connection, after=after, limit=3, search="")
            assert page.total == len(NAMES)
            found += page.people
            if (after := page.next) is None:
                break
        assert [
            person.name for person in list_people(connection, after=None, limit=9, search="ada").people
        ] == [
            "ada_L",
            "adam",
        ]
        assert list_people(connection, after=None, limit=9, search="%").total == 0
    assert sorted(person.name for person in found) == sorted(NAMES)
    keys = [person.name for person in found]
    assert keys.index("ada_L") < keys.index("adam") < keys.index("Emile 10") < keys.index("Zoë")
    assert {person.name: person.photos for person in found}["Zoë"] == 2


def test_a_person_has_photos_in_the_order_of_enrolment(gallery: Gallery, photo: Photo) -> None:
    first, second = photo(keep=True), photo()
    gallery.enrol("Ada", [first], by="operator")
    gallery.enrol("Ada", [second], by="api")
    with gallery._store.reading() as connection:
        person = find_person(connection, "ADA", "here")
        shown = list_photos(connection, person.id)
        assert person_of_key(connection, "nobody") is None
        assert people_with_photo(connection, bytes.fromhex(first.sha256)) == ("Ada",)
        assert people_with_photo(connection, b"other") == ()
        with pytest.raises(PersonUnknown, match=r"here has no person 'Bob'\. `facenet people` lists"):
            find_person(connection, "Bob", "here")
    assert [(entry.sha256, entry.by, entry.stored) for entry in shown] == [
        (first.sha256, "operator", True),
        (second.sha256, "api", False),
    ]
    assert shown[0].quality is not None
    assert (shown[0].quality.side, shown[0].quality.sharpness) == (90, 120.5)
    assert person.first == shown[0].at <= shown[1].at == person.last
