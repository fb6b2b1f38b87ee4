"""What is forgotten: a person with all photos, or single photos."""

import hashlib
from dataclasses import dataclass, field, fields
from typing import Any, Self

from facenet.errors import ImageRejected
from facenet.images import encode, read_photo
from tasks.forgetting.names import Names
from tasks.forgetting.traces import Search, pieces


@dataclass
class Person:
    """What identifies a person, or single photos, in files; it grows while the workspace is searched.

    identities: names in the manifest; empty if single photos are forgotten. photos: the sha256 of their
    files. md5: of the same files, by which DVC names them. faces: the sha256 of their stored faces. traces:
    pieces of photos, faces and embeddings. roles: train, evaluate or both. versions: the MD5s of objects of
    DVC with the person; other_versions: those of folders without.
    """

    identities: set[str] = field(default_factory=set)
    photos: set[str] = field(default_factory=set)
    md5: set[str] = field(default_factory=set)
    faces: set[str] = field(default_factory=set)
    traces: set[bytes] = field(default_factory=set)
    roles: set[str] = field(default_factory=set)
    versions: set[str] = field(default_factory=set)
    other_versions: set[str] = field(default_factory=set)

    def add_photo(self, data: bytes) -> None:
        """Add a photo by the bytes of its file, and by those that ingest stores in their place, if any."""
        self.photos.add(hashlib.sha256(data).hexdigest())
        self.md5.add(hashlib.md5(data, usedforsecurity=False).hexdigest())
        self.traces |= pieces(data) | pieces(_converted(data))

    def add_face(self, data: bytes) -> None:
        """Add a stored face by its bytes."""
        self.faces.add(hashlib.sha256(data).hexdigest())
        self.traces |= pieces(data)

    @property
    def names(self) -> Names:
        """The names to look for."""
        return Names(self.identities)

    @property
    def digests(self) -> set[str]:
        """All digests of photos and faces, as hexadecimal digits."""
        return self.photos | self.md5 | self.faces

    def search(self) -> Search:
        """Return the search for the digests, as digits and as bytes, and for the pieces."""
        digests = self.digests
        return Search(
            {*self.traces, *(d.encode() for d in digests), *(bytes.fromhex(digest) for digest in digests)}
        )

    def as_json(self) -> dict[str, list[str]]:
        """Return the fields as sorted lists of text."""
        found = {field.name: getattr(self, field.name) for field in fields(self)}
        return {name: sorted(map(_text, values)) for name, values in found.items()}

    @classmethod
    def from_json(cls, value: dict[str, Any]) -> Self:
        """Return the person of `as_json`."""
        return cls(
            **{name: set(values) for name, values in value.items() if name != "traces"},
            traces={bytes.fromhex(trace) for trace in value["traces"]},
        )


def _converted(data: bytes) -> bytes:
    """Return the PNG that ingest stores for a photo that is not an upright RGB JPEG or PNG, else b""."""
    try:
        photo = read_photo(data)
    except ImageRejected:  # not a photo, such as another file in the folder of the person
        return b""
    return b"" if photo.plain else encode(photo.pixels, "png")


def _text(value: str | bytes) -> str:
    return value.hex() if isinstance(value, bytes) else value
