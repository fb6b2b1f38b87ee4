"""`facenet remove`: forget a person, or one of their photos, without a byte left in the gallery."""

import argparse
import dataclasses

from commands.exit_codes import NO, OK
from commands.galleries import add_gallery, existing_gallery
from commands.output import complain, printable, show, show_json


def add(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `facenet remove`."""
    parser.description = (
        "Remove a person from the gallery with all photos, and erase every byte of them from its files. Exit "
        "code 1: nobody of that name is enrolled."
    )
    parser.add_argument("name", metavar="NAME", help="the person, in any spelling")
    photo = "remove only this photo, by the beginning of its sha256 as `facenet people NAME` shows it"
    parser.add_argument("--photo", metavar="SHA256", help=photo)
    add_gallery(parser)
    parser.add_argument("--json", action="store_true", help="print {person, photos, gone, remark}")


def run(arguments: argparse.Namespace) -> int:
    """Remove; return 1 if there is no such person or photo.

    Raises:
        GalleryMissing: there is no gallery.
        ErasureIncomplete: removed, but a reader kept the bytes in a file of the store.
        StoreFailed: the database cannot be written.
    """
    from service.gallery.errors import PersonUnknown, PhotoUnknown

    with existing_gallery(arguments) as gallery:
        try:
            if arguments.photo is None:
                removal = gallery.remove(arguments.name)
            else:
                removal = gallery.remove_photo(arguments.name, arguments.photo)
        except (PersonUnknown, PhotoUnknown) as error:
            complain(str(error))
            return NO
    if arguments.json:
        show_json(dataclasses.asdict(removal))
        return OK
    count = "1 photo" if removal.photos == 1 else f"{removal.photos} photos"
    name = printable(removal.person)
    show(f"{name} is removed, with {count}\n" if removal.gone else f"{count} of {name} removed\n")
    if removal.remark:
        complain(f"note: {removal.remark}")
    return OK
