"""data/cache: tables are written again without the person, so that the next run is still incremental."""

import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa

from facenet.atomic import remove_temporaries, write_text
from facenet.digests import file_digest
from tasks import paths
from tasks.forgetting.files import Keep, remove, rewrite_table
from tasks.forgetting.inspection import Inspection, batches, column_names, is_table
from tasks.forgetting.located import files_below
from tasks.forgetting.person import Person
from tasks.forgetting.place import Action, Finding

# Columns that say whose a row is, and how its value becomes the digest of a photo or a face.
KEYS: dict[str, Callable[[object], str]] = {
    "image_id": str,
    "sha256": str,
    "face_sha256": lambda value: bytes(value).hex(),  # type: ignore[call-overload]
    "__index_level_0__": str,  # of a pandas table: qualities by face
}


@dataclass
class Caches:
    """The caches of the workspace `root`.

    A row is kept if data/ says that it is somebody else's. If data/ is gone, a row is kept if it is not known
    to be the person's.
    """

    root: Path
    name: str = "caches"
    _known: set[str] | None = None

    def find(self, person: Person) -> list[Finding]:
        """Return the files that have the person, or rows of which nobody knows whose they are."""
        inspection, stay = Inspection(person), self._rule(person)
        found = []
        for path in files_below(self._folder) if self._folder.is_dir() else ():
            key = _key(path)
            if key is None:
                if inspection.holds(path):
                    found.append(Finding(str(path)))
                continue
            rows = sum(stays is False for batch in batches(path, [key]) for stays in stay(batch))
            if rows:
                found.append(Finding(str(path), Action.REWRITE, count=rows))
        return found

    def erase(self, person: Person, findings: Sequence[Finding]) -> None:
        """Rewrite tables, with their receipts, and remove other files and what a killed process left."""
        stay, inspection = self._rule(person), Inspection(person)
        for finding in findings:
            path, key = Path(finding.what), _key(Path(finding.what))
            if key is not None:
                rewrite_table(path, stay)
                path = _settle(path)
            if key is None or inspection.holds(path):
                remove(path)
        for folder in {Path(finding.what).parent for finding in findings}:
            remove_temporaries(folder)

    @property
    def _folder(self) -> Path:
        return self.root / paths.CACHE

    def _rule(self, person: Person) -> Keep:
        """Return which rows of a batch stay; computed before data/ is emptied."""
        if self._known is None:
            self._known = self._others(person)
        others, theirs = self._known, person.digests

        def stay(batch: pa.RecordBatch) -> list[bool]:
            key = next(key for key in KEYS if key in batch.schema.names)
            digests = map(KEYS[key], batch.column(batch.schema.get_field_index(key)).to_pylist())
            return [digest in others if others else digest not in theirs for digest in digests]

        return stay

    def _others(self, person: Person) -> set[str]:
        """Return the digests of photos and stored faces of others, from data/ and the cached faces."""
        found = set()
        places = [self.root / paths.RAW, self.root / paths.ALIGNED, self._folder / "aligned"]
        for table in (
            path for place in places if place.is_dir() for path in files_below(place) if is_table(path)
        ):
            names = set(column_names(table))
            if {"image_id", "identity"} <= names:
                found |= _digests_of_others(table, person, "box" in names)
        return found


def _digests_of_others(table: Path, person: Person, has_faces: bool) -> set[str]:
    found = set()
    for batch in batches(table, ["image_id", "identity", *(["image"] if has_faces else [])]):
        for row in batch.to_pylist():
            if row["image_id"] in person.photos or row["identity"] in person.identities:
                continue
            found.add(row["image_id"])
            if has_faces:
                found.add(hashlib.sha256(row["image"]).hexdigest())
    return found - {None}


def _key(path: Path) -> str | None:
    """Return the column by which rows are kept, None if the file is not such a table."""
    if not is_table(path):
        return None
    names = column_names(path)
    return next((key for key in KEYS if key in names), None)


def _settle(path: Path) -> Path:
    """Make the digest of a rewritten table agree: in its receipt, in that of its folder, or in its name."""
    digest = file_digest(path)
    receipt, common = path.with_suffix(".json"), path.parent / "receipt.json"
    if receipt.exists():
        write_text(receipt, _json({**json.loads(receipt.read_text()), "sha256": digest}))
    if common.exists():
        content = json.loads(common.read_text())
        content["files"][path.name] = digest
        write_text(common, _json(content))
    if path.name.startswith("part-"):
        return path.rename(path.with_name(f"{path.stem.rpartition('-')[0]}-{digest[:16]}.arrow"))
    return path


def _json(content: object) -> str:
    return json.dumps(content, indent=2, allow_nan=False) + "\n"
