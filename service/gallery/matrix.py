"""The templates of the gallery as one matrix in memory, which follows the store."""

import threading
from dataclasses import dataclass, field
from functools import cached_property
from typing import TypeVar

import numpy as np
import numpy.typing as npt
from sqlalchemy import Connection, func, select

from service.gallery.schema import people, photos, removed

Numbers = npt.NDArray[np.int64]
Kind = TypeVar("Kind", bound=np.generic)
CHUNK = 10_000  # rows fetched at once
_SPARE = 1.2  # a matrix that grows gets room for a fifth more


@dataclass(frozen=True)
class Snapshot:
    """The gallery at one version; its arrays are read-only and never change.

    templates: (G, D) float32. owners: (G,) index into `names` of each template, ascending only within a
    person. names: one per person. photo_ids: (G,), ascending. person_ids: one per name, ascending.
    """

    version: int
    templates: npt.NDArray[np.float32] = field(repr=False)
    owners: Numbers = field(repr=False)
    photo_ids: Numbers = field(repr=False)
    names: tuple[str, ...] = field(repr=False)
    person_ids: Numbers = field(repr=False)

    def __len__(self) -> int:
        return len(self.owners)

    @cached_property
    def squares(self) -> npt.NDArray[np.float32]:
        """(G,) squared lengths of the templates."""
        lengths: npt.NDArray[np.float32] = np.einsum("ij,ij->i", self.templates, self.templates)
        return lengths


class Matrix:
    """The newest snapshot; safe to use from several threads.

    What was added to the store is appended, what was removed is left out of a copy. Rows of a snapshot are
    not overwritten: a thread can use it as long as it likes.
    """

    def __init__(self, template_size: int) -> None:
        self._lock = threading.Lock()
        self._templates = np.empty((0, template_size), np.float32)
        none = np.empty(0, np.int64)
        self._snapshot = Snapshot(0, self._templates, none, none, (), none)

    @property
    def version(self) -> int:
        """The version of the store that the newest snapshot shows."""
        return self._snapshot.version

    @property
    def snapshot(self) -> Snapshot:
        """The newest snapshot."""
        return self._snapshot

    def follow(self, connection: Connection, version: int) -> Snapshot:
        """Return a snapshot of the state that a connection sees, which has this version, or a later one."""
        with self._lock:
            old = self._snapshot
            if version > old.version:
                self._snapshot = self._changed(connection, old, version)
            return self._snapshot

    def _changed(self, connection: Connection, old: Snapshot, version: int) -> Snapshot:
        listed = select(removed.c.photo_id).where(removed.c.version > old.version)
        gone = np.array(connection.execute(listed).scalars().all() if len(old) else [], np.int64)
        person_ids, names = _people(connection, old, all_again=bool(len(gone)))
        owners, ids = old.owners, old.photo_ids
        if len(gone):
            stays = ~np.isin(ids, gone)
            owners, ids = np.searchsorted(person_ids, old.person_ids[owners[stays]]), ids[stays]
            self._templates = old.templates[stays]
        added, added_owners = self._append(connection, len(ids), old.version)
        return Snapshot(
            version,
            _read_only(self._templates[: len(ids) + len(added)]),
            _read_only(np.concatenate([owners, np.searchsorted(person_ids, added_owners)])),
            _read_only(np.concatenate([ids, added])),
            names,
            _read_only(person_ids),
        )

    def _append(self, connection: Connection, count: int, since: int) -> tuple[Numbers, Numbers]:
        """Write templates newer than a version after the first `count` rows; return photo and person ids."""
        chosen = select(photos.c.id, photos.c.person_id, photos.c.template).order_by(photos.c.id)
        if since:
            chosen = chosen.where(photos.c.version > since)
        else:
            self._reserve(0, connection.execute(select(func.count()).select_from(photos)).scalar_one())
        numbers: list[Numbers] = [np.empty((0, 2), np.int64)]
        for chunk in connection.execute(chosen.execution_options(yield_per=CHUNK)).partitions():
            ids, owners, templates = zip(*chunk, strict=True)
            numbers.append(np.array([ids, owners], np.int64).T)
            self._reserve(count, len(ids))
            block = np.frombuffer(b"".join(templates), "<f4").reshape(len(ids), -1)
            self._templates[count : count + len(ids)] = block
            count += len(ids)
        both = np.concatenate(numbers)
        return both[:, 0], both[:, 1]

    def _reserve(self, count: int, more: int) -> None:
        if count + more > len(self._templates):
            spare = int((count + more) * _SPARE) if count else more
            grown = np.empty((spare, self._templates.shape[1]), np.float32)
            grown[:count] = self._templates[:count]
            self._templates = grown


def _people(connection: Connection, old: Snapshot, *, all_again: bool) -> tuple[Numbers, tuple[str, ...]]:
    """Return ids and names of all people, ascending by id; only what has changed is read if nobody left."""
    chosen = select(people.c.id, people.c.name).order_by(people.c.id)
    if all_again:
        rows = connection.execute(chosen).all()
        return np.array([row.id for row in rows], np.int64), tuple(row.name for row in rows)
    rows = connection.execute(chosen.where(people.c.version > old.version)).all()
    last = old.person_ids[-1] if len(old.person_ids) else 0
    names = list(old.names)
    for row in rows:  # renamed
        if row.id <= last:
            names[int(np.searchsorted(old.person_ids, row.id))] = row.name
    new = [row for row in rows if row.id > last]
    person_ids = np.concatenate([old.person_ids, np.array([row.id for row in new], np.int64)])
    return person_ids, (*names, *(row.name for row in new))


def _read_only(array: npt.NDArray[Kind]) -> npt.NDArray[Kind]:
    view = array.view()
    view.flags.writeable = False
    return view
