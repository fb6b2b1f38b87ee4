"""What goes into the gallery and what comes out of it, without any table."""

import hashlib
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from facenet.results import Quality

Template = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Enrolment:
    """A photo to enrol.

    template: (D,) of its face, as `FaceModel` returns it. quality: of that face, if it is known. sha256: of
    the photo's file, in hexadecimal. photo: the bytes of that file, if they are to be stored.
    """

    template: Template = field(repr=False)
    quality: Quality | None
    sha256: str
    photo: bytes | None = field(default=None, repr=False)

    @classmethod
    def of(
        cls, photo: bytes, template: Template, quality: Quality | None = None, *, keep: bool = False
    ) -> "Enrolment":
        """Return the enrolment of a photo's bytes; keep: store them."""
        return cls(template, quality, hashlib.sha256(photo).hexdigest(), photo if keep else None)


@dataclass(frozen=True)
class Person:
    """An enrolled person.

    photos: how many. first, last: when the first and the last of them was enrolled (ISO 8601, UTC).
    """

    id: int
    name: str
    photos: int
    first: str
    last: str


@dataclass(frozen=True)
class Photo:
    """An enrolled photo.

    sha256: of its file, in hexadecimal. by, at: who enrolled it and when (ISO 8601, UTC). stored: whether
    the gallery has its bytes.
    """

    id: int
    sha256: str
    quality: Quality | None
    by: str
    at: str
    stored: bool


@dataclass(frozen=True)
class People:
    """A page of people by folded name; total: of all pages. next: argument `after` of the next, or None."""

    people: tuple[Person, ...]
    total: int
    next: str | None


@dataclass(frozen=True)
class Enrolled:
    """What an enrolment has changed.

    added, already: sha256 of the photos that are new, and that this person had.
    """

    person: Person
    added: tuple[str, ...]
    already: tuple[str, ...]


@dataclass(frozen=True)
class Removal:
    """What was removed.

    person: the name as it was stored. photos: how many. gone: whether nobody of that name is left.
    remark: what the gallery could not erase itself, and who can; empty if there is nothing.
    """

    person: str
    photos: int
    gone: bool
    remark: str = ""


@dataclass(frozen=True)
class Info:
    """The state of a gallery; version: counts its changes. stored: photos whose bytes it has."""

    place: str
    model_digest: str
    template_size: int
    version: int
    people: int
    photos: int
    stored: int
    created_at: str
