import hashlib
import json
import os

from facenet.images import decode, encode
from tasks.forgetting.person import Person


def test_photos_and_faces_are_searched_by_digests_and_pieces() -> None:
    photo, face = os.urandom(9000), os.urandom(3000)
    person = Person(identities={"Ada"})
    person.add_photo(photo)
    person.add_face(face)
    assert person.photos == {hashlib.sha256(photo).hexdigest()}
    assert person.md5 == {hashlib.md5(photo).hexdigest()}
    assert person.faces == {hashlib.sha256(face).hexdigest()}
    search = person.search()
    for digest in person.digests:
        assert search.in_bytes(f"x{digest}x".encode())
        assert search.in_bytes(b"x" + bytes.fromhex(digest))
    assert search.in_bytes(photo)
    assert search.in_bytes(b"head" + face)
    assert not search.in_bytes(os.urandom(9000))


def test_the_png_of_a_grey_photo_is_recognised(orl_photos: list[tuple[str, bytes]]) -> None:
    pgm, other = orl_photos[0][1], orl_photos[1][1]
    person = Person()
    person.add_photo(pgm)
    assert person.search().in_bytes(encode(decode(pgm), "png"))
    assert not person.search().in_bytes(encode(decode(other), "png"))


def test_a_person_survives_json() -> None:
    person = Person(identities={"Zoë"}, roles={"train"}, versions={"a" * 32}, other_versions={"b" * 32})
    person.add_photo(os.urandom(500))
    assert Person.from_json(json.loads(json.dumps(person.as_json()))) == person


def test_names_are_those_of_the_person() -> None:
    assert Person(identities={"Zoë"}).names.is_value("zoe")
    assert not Person(photos={"0" * 64}).names.is_value("0")
