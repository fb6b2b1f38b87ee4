"""NumPy arrays of photos and names that ingest reads (source `npy`): written again without the rows."""

import hashlib
import logging
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
from numpy.lib.format import open_memmap

from facenet.atomic import atomic_path
from facenet.digests import file_digest
from facenet.images import encode
from tasks import paths
from tasks.forgetting.archives import replace_digest
from tasks.forgetting.located import Located
from tasks.forgetting.person import Person
from tasks.forgetting.place import Action, Finding
from tasks.forgetting.sources import OUTSIDE

logger = logging.getLogger(__name__)

MAGIC = b"\x93NUMPY"


@dataclass
class SourceArrays:
    """The pairs of arrays, images before names, among the sources of the workspace `root`."""

    root: Path
    sources: Sequence[Located]
    name: str = "arrays"

    def find(self, person: Person) -> list[Finding]:
        """Return the arrays with rows of the person; the photos, as PNG, become those of `person`."""
        found = []
        for images, names in self._pairs():
            rows = list(_rows(images.path, names.path, person))
            if rows:
                inside = images.inside and names.inside
                note = "rows are removed, and the photos after them get other numbers" if inside else OUTSIDE
                found.append(
                    Finding(str(images.path), Action.REWRITE if inside else Action.LEFT, note, len(rows))
                )
        return found

    def erase(self, person: Person, findings: Sequence[Finding]) -> None:
        """Write the arrays again: the names last, by which the rows are still found after an interruption."""
        wanted = {finding.what for finding in findings if finding.action is Action.REWRITE}
        for images, names in self._pairs():
            if str(images.path) in wanted:
                self._erase(images.path, names.path, person)

    def _erase(self, images: Path, names: Path, person: Person) -> None:
        gone = set(_rows(images, names, person))
        photos, labels = (
            np.load(images, mmap_mode="r", allow_pickle=False),
            np.load(names, allow_pickle=False),
        )
        stay = np.array([row for row in range(len(labels)) if row not in gone], np.int64)
        with atomic_path(names) as new_names:
            with new_names.open("wb") as file:
                np.save(file, labels[stay])
            if len(photos) == len(labels):
                self._rewrite(images, photos, stay)

    def _rewrite(self, path: Path, photos: npt.NDArray[np.uint8], rows: npt.NDArray[np.int64]) -> None:
        old = file_digest(path)
        with atomic_path(path) as temporary:
            made = open_memmap(temporary, "w+", photos.dtype, (len(rows), *photos.shape[1:]))
            for place, row in enumerate(rows):
                made[place] = photos[row]
            made.flush()
            replace_digest(self.root / paths.PARAMS, old, file_digest(temporary))

    def _pairs(self) -> Iterator[tuple[Located, Located]]:
        arrays = [source for source in self.sources if _is_array(source.path)]
        yield from zip(arrays[::2], arrays[1::2], strict=False)


def _is_array(path: Path) -> bool:
    """Return whether a file is an array that ingest could read: others have code of somebody else."""
    if not path.is_file():
        return False
    with path.open("rb") as file:
        if file.read(len(MAGIC)) != MAGIC:
            return False
    try:
        np.load(path, mmap_mode="r", allow_pickle=False)
    except ValueError as error:
        logger.warning("%s is not searched: %s", path, error)
        return False
    return True


def _rows(images: Path, names: Path, person: Person) -> Iterator[int]:
    """Yield the rows of the person by name, or by the digest that the photo has as a PNG."""
    photos: npt.NDArray[np.uint8] = np.load(images, mmap_mode="r", allow_pickle=False)
    labels = np.load(names, allow_pickle=False)
    already = len(photos) < len(labels)  # interrupted between the two files: only the names are left
    for row, name in enumerate(labels):
        theirs = unicodedata.normalize("NFC", str(name)) in person.identities
        if already:
            if theirs:
                yield row
        elif theirs or not person.identities:
            data = encode(np.array(photos[row]), "png")
            if theirs or hashlib.sha256(data).hexdigest() in person.photos:
                person.add_photo(data)
                yield row
