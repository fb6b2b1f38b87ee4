"""The gallery of enrolled people: enrol, list, rename, remove, search."""

from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

import numpy as np
import numpy.typing as npt
from sqlalchemy import select

from service.gallery import reading, writing
from service.gallery.approximate import Approximate, is_installed
from service.gallery.erasure import erase
from service.gallery.errors import PhotoUnknown
from service.gallery.matrix import Matrix, Snapshot
from service.gallery.names import checked_key
from service.gallery.nearest import Nearest, nearest
from service.gallery.records import Enrolled, Enrolment, Info, People, Person, Photo, Removal
from service.gallery.schema import originals
from service.gallery.settings import Settings
from service.gallery.store import Store

PAGE = 100


class Gallery:
    """An open gallery; safe to use from several threads, and next to other processes that use it.

    Every change is one transaction: it is durable when the method returns, and nobody sees a part of it.
    """

    def __init__(self, store: Store, settings: Settings) -> None:
        self._store, self._settings = store, settings
        self._matrix = Matrix(store.template_size)
        self._indices: dict[str, Approximate] = {}

    @classmethod
    def open(
        cls,
        url: str | Path | None = None,
        *,
        model_digest: str,
        template_size: int,
        settings: Settings | None = None,
    ) -> Self:
        """Open a gallery, and create it if there is none.

        Args:
            url: a path, or a URL of SQLite or PostgreSQL; by default FACENET_GALLERY, or gallery/gallery.db
                in the working folder.
            model_digest: `FaceModel.digest` of the model in use.
            template_size: `FaceModel.template_size`.
            settings: those of gallery/settings.toml by default.

        Raises:
            ParamsInvalid: gallery/settings.toml is not valid.
            ModelDiffers: its templates come from another model.
            StoreTooNew: a later version of this program has changed its tables.
            StoreFailed: the database cannot be read or written.
        """
        settings = settings or Settings.read()
        return cls(Store.open(url, model_digest, template_size), settings)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections to the database."""
        self._store.database.close()

    def __str__(self) -> str:
        return str(self._store.database)

    def enrol(self, name: str, enrolments: Sequence[Enrolment], *, by: str) -> Enrolled:
        """Add photos to a person, who is new or has a name with the same `fold_name`.

        A photo that the person has already (by the sha256 of its file) is left as it is. The name of an
        enrolled person stays.

        Args:
            name: shown as it is written here.
            enrolments: at least one.
            by: who enrols, for the record: a user of the system or of the HTTP API.

        Raises:
            NameInvalid: the name is empty, too long, or has characters that cannot be shown.
            EnrolmentInvalid: there is no photo, or a template does not fit the gallery.
        """
        writing.checked(enrolments, self._store.template_size, name)
        with self._store.changing() as connection:
            return writing.enrol(connection, name, enrolments, by)

    def people(self, *, after: str | None = None, limit: int = PAGE, search: str = "") -> People:
        """Return up to `limit` people in the order of their folded names.

        Args:
            after: `People.next` of the page before.
            limit: people on a page.
            search: a part of a name, in any spelling.
        """
        folded = checked_key(search) if search.strip() else ""
        with self._store.reading() as connection:
            return reading.list_people(connection, after=after, limit=limit, search=folded)

    def person(self, name: str) -> tuple[Person, tuple[Photo, ...]]:
        """Return a person and their photos, in the order of enrolment.

        Raises:
            PersonUnknown: nobody of that name is enrolled.
        """
        with self._store.reading() as connection:
            found = reading.find_person(connection, name, self)
            return found, reading.list_photos(connection, found.id)

    def people_with(self, sha256: str) -> tuple[str, ...]:
        """Return the names of the people who have this photo, in the order of enrolment."""
        with self._store.reading() as connection:
            return reading.people_with_photo(connection, bytes.fromhex(sha256))

    def photo(self, photo_id: int) -> bytes:
        """Return the bytes of a stored photo.

        Raises:
            PhotoUnknown: there is no such photo, or its bytes were not stored.
        """
        chosen = select(originals.c.content).where(originals.c.photo_id == photo_id)
        with self._store.reading() as connection:
            content = connection.execute(chosen).scalar_one_or_none()
        if content is None:
            raise PhotoUnknown(f"The gallery {self} does not have the bytes of photo {photo_id}.")
        return bytes(content)

    def remove(self, name: str) -> Removal:
        """Remove a person with all photos, and erase every byte of them.

        Raises:
            PersonUnknown: nobody of that name is enrolled.
            ErasureIncomplete: the person is removed, but a reader kept the bytes in a file of the store.
        """
        with self._store.changing() as connection:
            person = reading.find_person(connection, name, self)
            change = writing.remove(connection, person)
        return self._erased(person, change)

    def remove_photo(self, name: str, sha256: str) -> Removal:
        """Remove one photo of a person, and the person with their last one; sha256 may be abbreviated.

        Raises:
            PersonUnknown: nobody of that name is enrolled.
            PhotoUnknown: the person does not have the photo, or several that begin like this.
            ErasureIncomplete: it is removed, but a reader kept the bytes in a file of the store.
        """
        with self._store.changing() as connection:
            person = reading.find_person(connection, name, self)
            digests = [photo.sha256 for photo in reading.list_photos(connection, person.id)]
            found = [digest for digest in digests if sha256 and digest.startswith(sha256.lower())]
            if len(found) != 1:
                raise PhotoUnknown(
                    f"{person.name!r} has {len(found)} photos whose digest begins with {sha256!r}. They have "
                    f"{', '.join(digest[:12] for digest in digests[:10])}."
                )
            change = writing.remove(connection, person, bytes.fromhex(found[0]))
        return self._erased(person, change)

    def rename(self, name: str, new: str) -> Person:
        """Give a person another name, or the same in another spelling, and erase the old one.

        Raises:
            PersonUnknown: nobody of that name is enrolled.
            NameTaken: the new name is that of another person.
            NameInvalid: the new name is empty, too long, or has characters that cannot be shown.
            ErasureIncomplete: the person is renamed, but a reader kept the old name in a file of the store.
        """
        with self._store.changing() as connection:
            person = reading.find_person(connection, name, self)
            change = writing.rename(connection, person, new)
        self._erased(person, change)
        return self.person(new)[0]

    def snapshot(self) -> Snapshot:
        """Return all templates and whose they are, with the changes of other processes until now.

        Raises:
            ModelDiffers: another process has replaced the templates by those of another model.
        """
        with self._store.reading() as connection:
            return self._matrix.follow(connection, self._store.state(connection).version)

    def search(
        self, queries: npt.ArrayLike, k: int = 1, *, metric: str = "cosine", exact: bool = False
    ) -> Nearest:
        """Return the k nearest templates of each query, with the changes of other processes until now.

        With at least `settings.approximate_from` templates it is approximate, once the index is built. The
        scores are exact.

        Args:
            queries: (Q, D) templates.
            k: at most this many; fewer in a smaller gallery.
            metric: that of the model; see `nearest`.
            exact: search exactly, whatever the size.
        """
        snapshot, asked = self.snapshot(), np.asarray(queries, np.float32)
        if not exact and 0 < self._settings.approximate_from <= len(snapshot) and is_installed():
            found = self._approximate(metric).search(snapshot, asked, k)
            if found is not None:
                return found
        return nearest(snapshot, asked, k, metric)

    def _approximate(self, metric: str) -> Approximate:
        return self._indices.setdefault(metric, Approximate(metric))

    @property
    def settings(self) -> Settings:
        """Mode and limits of the checks, and when search is approximate."""
        return self._settings

    @property
    def version(self) -> int:
        """The number of changes to the gallery, by any process."""
        with self._store.reading() as connection:
            return int(self._store.state(connection).version)

    def info(self) -> Info:
        """Return counts, and what the gallery is bound to."""
        with self._store.reading() as connection:
            row = self._store.state(connection)
            counts = reading.count(connection)
        return Info(
            place=str(self),
            model_digest=row.model_digest,
            template_size=row.template_size,
            version=row.version,
            created_at=row.created_at,
            **counts,
        )

    def _erased(self, person: Person, change: writing.Removed) -> Removal:
        remark = erase(self._store.database, change.version, change.traces)
        return Removal(person.name, change.photos, change.gone, remark)
