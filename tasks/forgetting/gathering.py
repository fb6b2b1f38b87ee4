"""Gather what identifies a person from the tables of a workspace: digests, stored faces, embeddings."""

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from tasks import paths
from tasks.forgetting.inspection import batches, column_names, is_table
from tasks.forgetting.person import Person
from tasks.forgetting.traces import pieces

PHOTO, IDENTITY, ROLE, IMAGE, FACE = "image_id", "identity", "role", "image", "face_sha256"
VECTORS = ("embedding", "embedding_flipped")


def gather(person: Person, tables: Sequence[Path]) -> None:
    """Add to a person what tables of any version of the data say: digests, then faces and embeddings."""
    columns = {table: column_names(table) for table in tables}
    for table, names in columns.items():
        if {PHOTO, IDENTITY} <= set(names):
            _add_digests(person, table, ROLE in names)
    for table, names in columns.items():
        if {PHOTO, IMAGE} <= set(names):
            _add_images(person, table, is_face="box" in names)
    for table, names in columns.items():
        for key in {PHOTO, FACE} & set(names):
            _add_embeddings(person, table, key, [name for name in VECTORS if name in names])


def workspace_tables(root: Path) -> list[Path]:
    """Return the Arrow and Parquet files of data/, sorted; downloaded sources are left out."""
    found = sorted((root / paths.DATA).rglob("*"))
    downloads = root / paths.DOWNLOADS
    return [path for path in found if not path.is_relative_to(downloads) and is_table(path)]


def people(root: Path) -> list[str]:
    """Return the people of the manifest, sorted; none without one."""
    manifest = root / paths.MANIFEST
    if not manifest.exists():
        return []
    found = {name for batch in batches(manifest, [IDENTITY]) for name in batch.column(0).to_pylist()}
    return sorted(found - {None})


def _add_digests(person: Person, table: Path, has_role: bool) -> None:
    wanted = [PHOTO, IDENTITY, *([ROLE] if has_role else [])]
    for row in _rows(table, wanted):
        theirs = row[IDENTITY] in person.identities
        if theirs and row[PHOTO]:
            person.photos.add(row[PHOTO])
        if has_role and row[ROLE] and (theirs or row[PHOTO] in person.photos):
            person.roles.add(row[ROLE])


def _add_images(person: Person, table: Path, *, is_face: bool) -> None:
    for row in _chosen(table, PHOTO, person.photos, [IMAGE]):
        if is_face:
            person.add_face(row[IMAGE])
        else:
            person.traces |= pieces(row[IMAGE])
            if hashlib.sha256(row[IMAGE]).hexdigest() in person.photos:
                person.add_photo(row[IMAGE])


def _add_embeddings(person: Person, table: Path, key: str, vectors: Sequence[str]) -> None:
    known: set[Any] = person.photos if key == PHOTO else {bytes.fromhex(face) for face in person.faces}
    for row in _chosen(table, key, known, vectors):
        for name in vectors:
            if row[name] is not None:
                person.traces |= pieces(row[name])


def _rows(table: Path, columns: Sequence[str]) -> Iterator[dict[str, Any]]:
    for batch in batches(table, list(columns)):
        yield from batch.to_pylist()


def _chosen(table: Path, key: str, values: Iterable[Any], columns: Sequence[str]) -> Iterator[dict[str, Any]]:
    """Yield the columns of the rows whose key is among the values; vectors as their bytes."""
    wanted = set(values)
    for batch in batches(table, [key, *columns]) if columns else ():
        for at, value in enumerate(batch.column(0).to_pylist()):
            if value in wanted:
                yield {name: _bytes(batch.column(name)[at]) for name in columns}


def _bytes(scalar: Any) -> bytes | None:
    """Return bytes as they are, and a list of numbers as the table stores it."""
    if not scalar.is_valid:
        return None
    if hasattr(scalar, "values"):
        return bytes(scalar.values.to_numpy(zero_copy_only=False).tobytes())
    return bytes(scalar.as_py())
