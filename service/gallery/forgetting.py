"""The gallery as a place of forgetting: the person by name, and their photos under any name."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from facenet.identity import fold_name
from service.gallery.binding import open_existing
from service.gallery.errors import GalleryMissing, PersonUnknown
from service.gallery.gallery import Gallery
from tasks.forgetting.person import Person
from tasks.forgetting.place import Action, Finding

PAGE = 1000


@dataclass
class EnrolledPeople:
    """The gallery at a path or URL, by default that of FACENET_GALLERY. remarks: of the last removal."""

    place: str | Path | None = None
    name: str = "gallery"
    remarks: tuple[str, ...] = ()

    def find(self, person: Person) -> list[Finding]:
        """Return enrolled people of that name, and photos of the person that others have."""
        try:
            gallery = open_existing(self.place)
        except GalleryMissing:
            return []
        with gallery:
            found = [
                Finding(f"{gallery}: {name}", note=f"enrolled, {photos} photos", count=photos)
                for name, photos in _named(gallery, person)
            ]
            found += [
                Finding(f"{gallery}: photo {digest[:12]} of {name}")
                for digest, name in _photos(gallery, person)
            ]
            return [*found, *(Finding(str(gallery), Action.LEFT, remark) for remark in self.remarks)]

    def people(self) -> list[str]:
        """Return the names of all enrolled people, none without a gallery."""
        try:
            gallery = open_existing(self.place)
        except GalleryMissing:
            return []
        with gallery:
            return sorted(_names(gallery))

    def erase(self, person: Person, findings: Sequence[Finding]) -> None:
        """Remove them without leaving a byte, as `facenet remove` does."""
        del findings
        remarks = set()
        with open_existing(self.place) as gallery:
            for name, _ in _named(gallery, person):
                remarks.add(gallery.remove(name).remark)
            for digest, name in _photos(gallery, person):
                remarks.add(gallery.remove_photo(name, digest).remark)
        self.remarks = tuple(sorted(remarks - {""}))


def _names(gallery: Gallery) -> Iterator[str]:
    after: str | None = None
    while True:
        page = gallery.people(after=after, limit=PAGE)
        yield from (person.name for person in page.people)
        after = page.next
        if after is None:
            return


def _named(gallery: Gallery, person: Person) -> list[tuple[str, int]]:
    found = {}
    for identity in sorted(person.identities):
        try:
            enrolled, photos = gallery.person(identity)
        except PersonUnknown:
            continue
        found[enrolled.name] = len(photos)
    return sorted(found.items())


def _photos(gallery: Gallery, person: Person) -> list[tuple[str, str]]:
    """Return digest and name of the person's photos that are enrolled under other names."""
    folded = {fold_name(identity) for identity in person.identities}
    return [
        (digest, name)
        for digest in sorted(person.photos)
        for name in gallery.people_with(digest)
        if fold_name(name) not in folded
    ]
