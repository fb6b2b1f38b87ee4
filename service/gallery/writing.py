"""Changes to the gallery, each inside a transaction of `Database.writing`."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

import numpy as np
from sqlalchemy import Connection, delete, insert, select, update

from service.gallery.errors import EnrolmentInvalid, NameTaken
from service.gallery.names import checked_key
from service.gallery.reading import person_of_key
from service.gallery.records import Enrolled, Enrolment, Person
from service.gallery.schema import info, originals, people, photos, removed


@dataclass(frozen=True)
class Removed:
    """A change whose old content is to be erased.

    version: of the change. photos: that it removed. gone: whether the person went. traces: the old content,
    to look for in the files of the store; None if that of an earlier change is not erased either.
    """

    version: int
    photos: int
    gone: bool
    traces: tuple[bytes, ...] | None


def bind(connection: Connection, model_digest: str, template_size: int) -> None:
    """Bind a new gallery to a model; do nothing if it is bound already."""
    if connection.execute(select(info.c.id)).one_or_none() is None:
        row = {"id": 1, "version": 1, "created_at": _now()}
        connection.execute(insert(info).values(model_digest=model_digest, template_size=template_size, **row))


def next_version(connection: Connection) -> int:
    """Count the change, and return its number; other writers wait from here to the end of the transaction."""
    counted = update(info).values(version=info.c.version + 1).returning(info.c.version)
    return int(connection.execute(counted).scalar_one())


def checked(enrolments: Sequence[Enrolment], size: int, name: str) -> None:
    """Raise EnrolmentInvalid if there is no template, or one that does not fit the gallery."""
    if not enrolments:
        raise EnrolmentInvalid(f"There is no photo to enrol for {name!r}. Name at least one.")
    for entry in enrolments:
        template = np.asarray(entry.template)
        if template.shape != (size,):
            raise EnrolmentInvalid(
                f"A template for {name!r} has the shape {template.shape}, and the gallery's have ({size},). "
                "Embed the photo with the gallery's model."
            )
        if not np.isfinite(template).all() or not template.any():
            raise EnrolmentInvalid(
                f"The template of photo {entry.sha256[:12]} for {name!r} is zero, or not finite. "
                "Embed the photo again, or leave it out."
            )


def enrol(connection: Connection, name: str, enrolments: Sequence[Enrolment], by: str) -> Enrolled:
    """Add photos to a new or enrolled person; a photo that the person has is left as it is."""
    key, version, now = checked_key(name), next_version(connection), _now()
    person = person_of_key(connection, key)
    if person is None:
        row = {"key": key, "name": name, "version": version}
        owner = int(connection.execute(insert(people).values(row).returning(people.c.id)).scalar_one())
    else:
        owner = person.id
    has = {
        bytes(d)
        for d in connection.execute(select(photos.c.sha256).where(photos.c.person_id == owner)).scalars()
    }
    added, already = [], []
    for entry in enrolments:
        digest = bytes.fromhex(entry.sha256)
        if digest in has:
            already.append(entry.sha256)
            continue
        has.add(digest)
        added.append(entry.sha256)
        _add(connection, entry, person_id=owner, version=version, enrolled_by=by, enrolled_at=now)
    changed = person_of_key(connection, key)
    assert changed is not None
    return Enrolled(changed, tuple(added), tuple(already))


def _add(connection: Connection, entry: Enrolment, **columns: Any) -> None:
    quality = entry.quality
    if quality is not None:
        columns |= {name: float(getattr(quality, name)) for name in ("side", "sharpness", "brightness")}
    row = insert(photos).values(
        sha256=bytes.fromhex(entry.sha256),
        template=np.asarray(entry.template, "<f4").tobytes(),
        **columns,
    )
    number = connection.execute(row.returning(photos.c.id)).scalar_one()
    if entry.photo is not None:
        connection.execute(insert(originals).values(photo_id=number, content=entry.photo))


def remove(connection: Connection, person: Person, photo: bytes | None = None) -> Removed:
    """Remove a person, or one photo by its sha256; with the last photo the person goes as well."""
    version = next_version(connection)
    chosen = photos.c.person_id == person.id
    if photo is not None:
        chosen &= photos.c.sha256 == photo
    found = select(photos.c.id, photos.c.template, photos.c.sha256, originals.c.content)
    rows = connection.execute(found.join(originals, isouter=True).where(chosen)).all()
    numbers = [row.id for row in rows]
    gone = len(rows) == person.photos
    traces = [bytes(content) for row in rows for content in row[1:] if content is not None]
    connection.execute(delete(originals).where(originals.c.photo_id.in_(select(photos.c.id).where(chosen))))
    connection.execute(delete(photos).where(chosen))
    if numbers:
        connection.execute(insert(removed), [{"photo_id": n, "version": version} for n in numbers])
    if gone:
        traces += _names(connection, person)
        connection.execute(delete(people).where(people.c.id == person.id))
    return _unerased(connection, Removed(version, len(rows), gone, tuple(traces)))


def rename(connection: Connection, person: Person, name: str) -> Removed:
    """Give a person another name.

    Raises:
        NameTaken: somebody else has it.
    """
    key, version = checked_key(name), next_version(connection)
    other = person_of_key(connection, key)
    if other is not None and other.id != person.id:
        raise NameTaken(
            f"{name!r} is the name of another person, {other.name!r} with {other.photos} photos. Choose "
            f"another name; if they are one person, enrol the photos of {person.name!r} as {other.name!r} "
            f"and remove {person.name!r}."
        )
    old = _names(connection, person)
    renamed = update(people).where(people.c.id == person.id)
    connection.execute(renamed.values(key=key, name=name, version=version))
    return _unerased(connection, Removed(version, 0, gone=False, traces=old))


def _unerased(connection: Connection, change: Removed) -> Removed:
    """Record that the old content is still in the files of the store."""
    earlier = connection.execute(select(info.c.unerased)).scalar_one()
    connection.execute(update(info).values(unerased=change.version))
    return change if earlier is None else replace(change, traces=None)


def _names(connection: Connection, person: Person) -> tuple[bytes, ...]:
    row = connection.execute(select(people.c.name, people.c.key).where(people.c.id == person.id)).one()
    return (row.name.encode(), row.key.encode())


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
