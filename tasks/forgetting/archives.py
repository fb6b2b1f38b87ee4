"""Archives and arrays of photos that ingest reads: they are written again without the photos.

Everything else in them stays as it is, in the same order. Their sha256 changes: params.yaml, if it names the
old one, gets the new one. The old archive then fails its digest wherever it is downloaded again.
"""

import bz2
import gzip
import hashlib
import io
import logging
import lzma
import tarfile
import unicodedata
import zipfile
from collections.abc import Callable, Collection, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from facenet.atomic import atomic_path, write_text
from facenet.digests import file_digest
from facenet.errors import SourceInvalid
from tasks import paths
from tasks.forgetting.inspection import first_bytes
from tasks.forgetting.located import Located
from tasks.forgetting.person import Person
from tasks.forgetting.place import Action, Finding
from tasks.forgetting.sources import OUTSIDE, photos_of_others
from tasks.ingest.archives import members

_OPENERS: dict[bytes, Callable[..., Any]] = {
    b"\x1f\x8b": gzip.open,
    b"BZh": bz2.open,
    b"\xfd7zXZ": lzma.open,
    b"": Path.open,
}
_ZIP = b"PK\x03\x04"
_WRITERS: dict[bytes, Callable[[IO[bytes]], Any]] = {
    b"\x1f\x8b": lambda file: gzip.GzipFile("", "wb", fileobj=file, mtime=0),
    b"BZh": lambda file: bz2.BZ2File(file, "wb"),
    b"\xfd7zXZ": lambda file: lzma.LZMAFile(file, "wb"),  # noqa: SIM115  # closed by the caller
    b"": nullcontext,
}
MOST_BYTES = 1 << 31  # of a photo

logger = logging.getLogger(__name__)


@dataclass
class SourceArchives:
    """The tar and zip files among the sources of the workspace `root`."""

    root: Path
    sources: Sequence[Located]
    name: str = "archives"

    def find(self, person: Person) -> list[Finding]:
        """Return the archives with photos of the person; their digests become those of `person`."""
        found = []
        others = photos_of_others(self.root / paths.MANIFEST, person)
        for source in self.sources:
            theirs = _theirs(source.path, person, others)
            if theirs:
                action = Action.REWRITE if source.inside else Action.LEFT
                note = "its sha256 changes, in params.yaml too" if source.inside else OUTSIDE
                found.append(Finding(str(source.path), action, note, len(theirs)))
        return found

    def erase(self, person: Person, findings: Sequence[Finding]) -> None:
        """Write the archives again without the photos."""
        for finding in findings:
            path = Path(finding.what)
            old = file_digest(path)
            with atomic_path(path) as temporary:
                if first_bytes(path).startswith(_ZIP):
                    _rewrite_zip(path, temporary, person)
                else:
                    _rewrite_tar(path, temporary, person)
                new = file_digest(temporary)
                replace_digest(self.root / paths.PARAMS, old, new)


def replace_digest(params: Path, old: str, new: str) -> None:
    """Replace the digest of a source in params.yaml.

    It is done before the source is replaced: if that is interrupted, the same bytes are written again.
    """
    text = params.read_text()
    if old in text:
        write_text(params, text.replace(old, new))


def _theirs(path: Path, person: Person, others: Collection[str]) -> list[str]:
    """Return the paths of the person's photos in an archive; none if it is not one that can be read."""
    if not path.is_file() or not (zipfile.is_zipfile(path) or tarfile.is_tarfile(path)):
        return []
    found = []
    try:
        for member in members(path, MOST_BYTES):
            if member.data is not None and _is_theirs(member.path, member.data, person, others):
                person.add_photo(member.data)
                found.append(member.path)
    except SourceInvalid as error:
        logger.warning("%s is not searched to its end: %s", path, error)
    return found


def _is_theirs(name: str, data: bytes, person: Person, others: Collection[str]) -> bool:
    """Return whether a photo is the person's by its digest, or lies in a folder of that name."""
    digest = hashlib.sha256(data).hexdigest()
    folders = {unicodedata.normalize("NFC", part) for part in name.split("/")[:-1]}
    return digest in person.photos or (bool(folders & person.identities) and digest not in others)


def _rewrite_zip(old: Path, new: Path, person: Person) -> None:
    with zipfile.ZipFile(old) as source, zipfile.ZipFile(new, "w") as target:
        target.comment = source.comment
        for info in source.infolist():
            data = source.read(info)
            if not _belongs(info.filename, data, person):
                target.writestr(info, data, info.compress_type)


def _rewrite_tar(old: Path, new: Path, person: Person) -> None:
    magic = first_bytes(old)
    start = next((start for start in _OPENERS if magic.startswith(start)), b"")
    with (
        _OPENERS[start](old, "rb") as packed,
        new.open("wb") as file_of_new,
        _WRITERS[start](file_of_new) as target,
        tarfile.open(fileobj=packed, mode="r|") as source,
        tarfile.open(fileobj=target, mode="w|", format=tarfile.PAX_FORMAT) as made,
    ):
        for info in source:
            file = source.extractfile(info) if info.isreg() else None
            data = None if file is None else file.read()
            if not _belongs(info.name, data, person):
                made.addfile(info, None if data is None else io.BytesIO(data))
            source.members.clear()  # type: ignore[attr-defined]  # else every header stays in memory


def _belongs(name: str, data: bytes | None, person: Person) -> bool:
    """Return whether an entry is a photo of the person, or the folder of that name."""
    parts = [unicodedata.normalize("NFC", part) for part in name.rstrip("/").split("/")]
    if not data:
        return parts[-1] in person.identities
    return hashlib.sha256(data).hexdigest() in person.photos
