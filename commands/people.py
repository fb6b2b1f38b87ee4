"""`facenet people`: who is enrolled in the gallery, and the photos of one person."""

from __future__ import annotations

import argparse
import dataclasses
from collections.abc import Iterator
from typing import TYPE_CHECKING

from commands.exit_codes import NO, OK
from commands.galleries import add_gallery, existing_gallery, person_entry
from commands.output import complain, printable, show, show_json

if TYPE_CHECKING:
    from service.gallery import Gallery, Person, Photo

PAGE = 1000


def add(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `facenet people`."""
    parser.description = (
        "List the people of the gallery, or with NAME the photos of one person. Exit code 1: nobody is found."
    )
    parser.add_argument("name", nargs="?", metavar="NAME", help="a person, in any spelling")
    parser.add_argument("--search", default="", metavar="TEXT", help="only names with this text in them")
    add_gallery(parser)
    parser.add_argument("--json", action="store_true", help="print JSON")


def run(arguments: argparse.Namespace) -> int:
    """Print the list; return 1 if it is empty.

    Raises:
        GalleryMissing: there is no gallery.
        StoreFailed: the database cannot be read.
    """
    with existing_gallery(arguments) as gallery:
        if arguments.name is not None:
            return _person(gallery, arguments)
        people = list(everybody(gallery, arguments.search))
        if arguments.json:
            show_json([person_entry(person) for person in people])
        else:
            show("".join(_line(person) for person in people))
            if not people:
                complain(f"Nobody{' of that name' if arguments.search else ''} is enrolled in {gallery}.")
    return OK if people else NO


def everybody(gallery: Gallery, search: str = "") -> Iterator[Person]:
    """Yield all people whose name contains `search`, in the order of their names."""
    after: str | None = None
    while True:
        page = gallery.people(after=after, limit=PAGE, search=search)
        yield from page.people
        after = page.next
        if after is None:
            return


def _person(gallery: Gallery, arguments: argparse.Namespace) -> int:
    from service.gallery.errors import PersonUnknown

    try:
        person, photos = gallery.person(arguments.name)
    except PersonUnknown as error:
        complain(str(error))
        return NO
    if arguments.json:
        show_json({**person_entry(person), "photo_list": [dataclasses.asdict(photo) for photo in photos]})
    else:
        show(_line(person) + "".join(_photo(photo) for photo in photos))
    return OK


def _line(person: Person) -> str:
    since = (
        person.first[:10]
        if person.first[:10] == person.last[:10]
        else f"{person.first[:10]} to {person.last[:10]}"
    )
    count = "1 photo" if person.photos == 1 else f"{person.photos} photos"
    return f"{printable(person.name)}  {count}, enrolled {since}\n"


def _photo(photo: Photo) -> str:
    quality = photo.quality
    face = f"{quality.side:.0f} px, sharpness {quality.sharpness:.0f}" if quality else "unknown quality"
    stored = ", photo stored" if photo.stored else ""
    return f"  {photo.sha256[:12]}  {photo.at[:10]} by {printable(photo.by)}  {face}{stored}\n"
