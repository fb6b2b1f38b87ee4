"""Source `celeba`: photos in one folder, with lists of their identities, partitions and attributes."""

import unicodedata
from collections.abc import Sequence
from functools import partial

from facenet.errors import SourceInvalid
from tasks.ingest.archives import members
from tasks.ingest.records import NO_PHOTO, Record
from tasks.ingest.sources.attribute_list import read_attributes
from tasks.ingest.sources.opened import Opened, Opening
from tasks.params.sources import CelebaSource

ROLES = {"0": "train", "1": "train", "2": "evaluate"}  # by partition: train, validation, test


def open_source(source: CelebaSource, opening: Opening) -> Opened:
    """Find the photos and read the lists. Identities are named celeba_ and the number in the list."""
    path = opening.locate(source.images, sha256=source.sha256, urls=source.urls)
    people = _read(source.identities, opening, "a file name and the number of a person")
    expected = "a file name and a partition, 0, 1 or 2"
    partition = _read(source.partition, opening, expected) if source.partition else None
    if partition is not None and not set(partition.values()) <= set(ROLES):
        raise SourceInvalid(f"{source.partition}: expected {expected} on each line. Download the file again.")

    names: tuple[str, ...] = ()
    attributes: dict[str, bytes] = {}
    if source.attributes:
        names, attributes = read_attributes(opening.read_text(source.attributes), origin=source.attributes)

    def place(records: Sequence[Record]) -> None:
        for record in records:
            name = unicodedata.normalize("NFC", record.path.rpartition("/")[2])
            if record.status not in NO_PHOTO:
                record.attributes = attributes.get(name)
            listed = name in people and (partition is None or name in partition)
            if listed and record.status not in NO_PHOTO:
                record.identity = f"celeba_{people[name]}"
                record.role = "split" if partition is None else ROLES[partition[name]]
            elif record.kept:
                lists = " and ".join(filter(None, (source.identities, source.partition)))
                record.reject("misplaced", f"The photo is not listed in {lists}.")

    return Opened(partial(members, path), place, attributes=names)


def _read(name: str, opening: Opening, expected: str) -> dict[str, str]:
    """Return the second field of each line by its first; the header line of a CSV is skipped."""
    found: dict[str, str] = {}
    for number, line in enumerate(opening.read_text(name).splitlines(), 1):
        fields = line.replace(",", " ").split()
        if not fields or (number == 1 and not fields[-1].isdigit()):
            continue
        if len(fields) != 2 or not fields[1].isdigit():
            raise SourceInvalid(
                f"{name}, line {number}: expected {expected}, found {line!r}. Download the file again."
            )
        photo = unicodedata.normalize("NFC", fields[0])
        if found.setdefault(photo, fields[1]) != fields[1]:
            raise SourceInvalid(
                f"{name}, line {number}: {photo} is {fields[1]}, but {found[photo]} in a line above. "
                "Correct one of the lines."
            )
    return found
