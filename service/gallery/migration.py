"""Embed the people of a gallery again with another model, from the photos it has stored."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from sqlalchemy import Connection, delete, insert, select, update

from facenet.results import Face, PhotoError
from service.gallery.database import Database
from service.gallery.erasure import erase
from service.gallery.errors import MigrationRefused
from service.gallery.location import locate
from service.gallery.reading import read_info
from service.gallery.schema import info, originals, people, photos, removed
from service.gallery.tables import bring_up_to_date
from service.gallery.writing import bind, next_version

Embed = Callable[[Sequence[bytes]], Sequence[Face | PhotoError]]
BATCH = 32  # photos in memory at once
NAMED = 5  # people in a message


@dataclass(frozen=True)
class Migration:
    """What was done. photos: embedded again. dropped: removed instead. people: how many are left."""

    photos: int
    dropped: int
    people: int


def migrate(
    url: str | Path | None,
    *,
    model_digest: str,
    template_size: int,
    embed: Embed,
    drop: bool = False,
    progress: Callable[[int, int], None] = lambda _done, _total: None,
) -> Migration:
    """Replace all templates by those of another model, and bind the gallery to it, in one transaction.

    The gallery works with its old model until then, and people who are enrolled or removed meanwhile are not
    lost. Does nothing if it is bound to the model already.

    Args:
        url: see `Gallery.open`.
        model_digest: of the new model.
        template_size: of the new model.
        embed: `FaceModel.embed` of the new model.
        drop: remove photos that cannot be embedded, and people without any other.
        progress: called with the numbers of photos done and of all, after each batch.

    Raises:
        MigrationRefused: the bytes of a photo were not stored, or show no face, and `drop` is false.
    """
    database = Database(locate(url))
    try:
        bring_up_to_date(database)
        found: dict[int, Face | None] = {}
        while True:
            missing = _embed_new(database, embed, found, progress)
            with database.writing() as connection:
                bind(connection, model_digest, template_size)
                row = read_info(connection)
                assert row is not None
                if (row.model_digest, row.template_size) == (model_digest, template_size):
                    return Migration(0, 0, _count(connection))
                enrolled = set(connection.execute(select(photos.c.id)).scalars())
                if not enrolled <= found.keys() | missing:
                    continue  # somebody was enrolled meanwhile
                usable = {number: face for number, face in found.items() if face and number in enrolled}
                lost = sorted(enrolled - usable.keys())
                if lost and not drop:
                    raise MigrationRefused(_refusal(connection, lost, len(enrolled)))
                version = _replace(connection, usable, lost, template_size)
                bound = update(info).values(model_digest=model_digest, template_size=template_size)
                connection.execute(bound.values(unerased=version))
                result = Migration(len(usable), len(lost), _count(connection))
            erase(database, version)  # the old templates
            return result
    finally:
        database.close()


def _embed_new(
    database: Database, embed: Embed, found: dict[int, Face | None], progress: Callable[[int, int], None]
) -> set[int]:
    """Embed what is stored and not in `found` yet, and return the photos without stored bytes."""
    with database.reading() as connection:
        rows = connection.execute(
            select(photos.c.id, originals.c.photo_id).join(originals, isouter=True)
        ).all()
    missing = {row.id for row in rows if row.photo_id is None}
    todo = sorted({row.id for row in rows} - missing - found.keys())
    for start in range(0, len(todo), BATCH):
        chosen = originals.c.photo_id.in_(todo[start : start + BATCH])
        with database.reading() as connection:
            contents = connection.execute(select(originals).where(chosen)).all()
        faces = embed([bytes(row.content) for row in contents])
        for row, face in zip(contents, faces, strict=True):
            found[row.photo_id] = face if isinstance(face, Face) and face.template is not None else None
        progress(min(start + BATCH, len(todo)), len(todo))
    return missing


def _replace(connection: Connection, usable: dict[int, Face], lost: list[int], size: int) -> int:
    """Write the new templates, remove the lost photos, and return the version of the change."""
    version = next_version(connection)
    for number, face in usable.items():
        template = np.asarray(face.template, "<f4")
        if template.shape != (size,):
            raise ValueError(f"the model returned a template of shape {template.shape}, not ({size},)")
        values: dict[str, Any] = {"template": template.tobytes(), "version": version}
        if face.quality is not None:
            values |= face.quality.to_dict()
        connection.execute(update(photos).where(photos.c.id == number).values(values))
    if lost:
        for table, column in ((originals, originals.c.photo_id), (photos, photos.c.id)):
            for number in lost:
                connection.execute(delete(table).where(column == number))
        connection.execute(insert(removed), [{"photo_id": n, "version": version} for n in lost])
        with_photo = select(photos.c.person_id)
        connection.execute(delete(people).where(people.c.id.not_in(with_photo)))
    return version


def _count(connection: Connection) -> int:
    return len(connection.execute(select(people.c.id)).all())


def _refusal(connection: Connection, lost: list[int], total: int) -> str:
    rows = connection.execute(select(photos.c.id, people.c.name).join(people))
    gone = set(lost)
    names = sorted({row.name for row in rows if row.id in gone})
    more = f" and {len(names) - NAMED} more" if len(names) > NAMED else ""
    return (
        f"{len(lost)} of {total} photos cannot be embedded again, since their bytes were not stored or "
        f"show no face: of {', '.join(names[:NAMED])}{more}. To remove them from the gallery, and enrol them "
        "again afterwards: `facenet gallery migrate --drop`."
    )
