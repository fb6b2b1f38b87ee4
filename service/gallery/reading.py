"""Queries that change nothing."""

from typing import Any

from sqlalchemy import Connection, Row, func, select
from sqlalchemy.sql import Select

from facenet.results import Quality
from service.gallery.errors import PersonUnknown
from service.gallery.names import checked_key
from service.gallery.records import People, Person, Photo
from service.gallery.schema import info, originals, people, photos

_PERSON = (
    people.c.id,
    people.c.name,
    func.count(photos.c.id).label("photos"),
    func.min(photos.c.enrolled_at).label("first"),
    func.max(photos.c.enrolled_at).label("last"),
)


def read_info(connection: Connection) -> Row[Any] | None:
    """Return the row about the gallery, None if it is new."""
    return connection.execute(select(info)).one_or_none()


def count(connection: Connection) -> dict[str, int]:
    """Return the number of people, of photos, and of photos whose bytes are stored."""
    tables = {"people": people, "photos": photos, "stored": originals}
    return {
        name: int(connection.execute(select(func.count()).select_from(table)).scalar_one())
        for name, table in tables.items()
    }


def find_person(connection: Connection, name: str, place: object) -> Person:
    """Return the person of a name.

    Raises:
        PersonUnknown: nobody of that name is enrolled.
        NameInvalid: nobody can have it.
    """
    found = person_of_key(connection, checked_key(name))
    if found is None:
        raise PersonUnknown(
            f"The gallery {place} has no person {name!r}. `facenet people` lists who is enrolled."
        )
    return found


def person_of_key(connection: Connection, key: str) -> Person | None:
    """Return the person of a folded name, None if there is none."""
    row = connection.execute(_persons().where(people.c.key == key)).one_or_none()
    return None if row is None else Person(*row)


def list_people(connection: Connection, *, after: str | None, limit: int, search: str) -> People:
    """Return a page of people in the order of their folded names; see `Gallery.people`."""
    fits = people.c.key.contains(search, autoescape=True)
    listed = _persons().add_columns(people.c.key).where(fits).order_by(people.c.key).limit(limit + 1)
    if after is not None:
        listed = listed.where(people.c.key > after)
    rows = connection.execute(listed).all()
    total = connection.execute(select(func.count()).select_from(people).where(fits)).scalar_one()
    shown = tuple(Person(*row[:-1]) for row in rows[:limit])
    return People(shown, total, rows[limit - 1][-1] if len(rows) > limit else None)


def list_photos(connection: Connection, person: int) -> tuple[Photo, ...]:
    """Return the photos of a person in the order of their enrolment."""
    listed = select(
        photos.c.id,
        photos.c.sha256,
        photos.c.side,
        photos.c.sharpness,
        photos.c.brightness,
        photos.c.enrolled_by,
        photos.c.enrolled_at,
        originals.c.photo_id.is_not(None).label("stored"),
    ).join(originals, isouter=True)
    rows = connection.execute(listed.where(photos.c.person_id == person).order_by(photos.c.id))
    return tuple(
        Photo(
            row.id,
            bytes(row.sha256).hex(),
            None if row.side is None else Quality(row.side, row.sharpness, row.brightness),
            row.enrolled_by,
            row.enrolled_at,
            bool(row.stored),
        )
        for row in rows
    )


def people_with_photo(connection: Connection, sha256: bytes) -> tuple[str, ...]:
    """Return the names of the people who have a photo with this digest, in the order of enrolment."""
    chosen = select(people.c.name).join(photos).where(photos.c.sha256 == sha256).order_by(people.c.id)
    return tuple(connection.execute(chosen).scalars())


def _persons() -> Select[Any]:
    return select(*_PERSON).join(photos).group_by(people.c.id)
