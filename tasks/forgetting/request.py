"""Whom a request means: a person by name, in the manifest or as a folder, or a photo by file or digest."""

import hashlib
import re
import unicodedata
from collections.abc import Collection, Sequence
from pathlib import Path

import pyarrow.parquet as pq

from facenet.errors import FaceNetError
from facenet.identity import fold_name
from tasks import paths
from tasks.forgetting.gathering import people
from tasks.forgetting.located import Located
from tasks.forgetting.person import Person

_DIGEST = re.compile(r"[0-9a-f]{64}")
SHOWN = 5


class NobodyFound(FaceNetError):
    """No place has a person of that name, or a photo with that digest."""


def of_identity(name: str, root: Path, sources: Sequence[Located], enrolled: Collection[str] = ()) -> Person:
    """Return the person of a name; a person may also be known as a folder of a source, or to the gallery.

    Raises:
        NobodyFound: nobody has exactly that name; the message has similar ones.
    """
    name = unicodedata.normalize("NFC", name)
    known = {*people(root), *_folders(sources), *enrolled}
    if name not in known:
        same = sorted(other for other in known if fold_name(other) == fold_name(name))
        hint = f"; did you mean {', '.join(map(repr, same[:SHOWN]))}?" if same else "."
        raise NobodyFound(
            f"Nobody called {name!r} is in {paths.MANIFEST}, the sources or the gallery{hint} "
            "A name has to be exact."
        )
    return Person(identities={name})


def of_photo(named: str) -> Person:
    """Return the photo in a file, or with a sha256.

    Raises:
        NobodyFound: it is neither a file nor a digest.
    """
    if _DIGEST.fullmatch(named.lower()):
        return Person(photos={named.lower()})
    if not Path(named).is_file():
        raise NobodyFound(f"{named} is neither a file nor a sha256 of 64 hexadecimal digits.")
    person = Person()
    person.add_photo(Path(named).read_bytes())
    return person


def name_of(person: Person, root: Path) -> str:
    """Return the name that becomes the pseudonym: of the person, or of the photo in pairs files."""
    if person.identities:
        return min(person.identities)
    first = min(person.photos)
    pairs = root / paths.PAIRS
    if pairs.exists():
        table = pq.read_table(pairs, columns=["left", "right", "left_name", "right_name"])
        for side in ("left", "right"):
            for photo, name in zip(table[side].to_pylist(), table[f"{side}_name"].to_pylist(), strict=True):
                if photo == first:
                    return str(name)
    return hashlib.sha256(first.encode()).hexdigest()


def _folders(sources: Sequence[Located]) -> set[str]:
    """Return the names of the folders of people in the sources that are folders."""
    found = set()
    for source in sources:
        if source.path.is_dir():
            for path in source.path.iterdir():
                if path.is_dir():
                    found.add(unicodedata.normalize("NFC", path.name))
    return found
