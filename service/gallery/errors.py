"""What the gallery refuses, or cannot do; each message names the object and what to do next."""

from typing import Any

from facenet.errors import FaceNetError


class GalleryError(FaceNetError):
    """Base of all errors of the gallery."""


class GalleryMissing(GalleryError):
    """There is no gallery, since nobody was enrolled there."""


class NameInvalid(GalleryError):
    """A name is empty, too long, or has characters that cannot be shown."""


class NameTaken(GalleryError):
    """A person cannot be renamed to the name of another person."""


class PersonUnknown(GalleryError):
    """Nobody of that name is enrolled."""


class PhotoUnknown(GalleryError):
    """That photo is not enrolled."""


class EnrolmentInvalid(GalleryError):
    """A template has another size than the gallery's, or is not finite, or there is none."""


class EnrolmentRefused(GalleryError):
    """The checks refuse all photos of a request; `findings` says why, see service/gallery/checks.py."""

    def __init__(self, message: str, findings: tuple[Any, ...] = ()) -> None:
        super().__init__(message, findings)  # both are needed to unpickle it
        self.findings = findings

    def __str__(self) -> str:
        return str(self.args[0])


class ModelDiffers(GalleryError):
    """The templates come from another model than the one in use."""


class MigrationRefused(GalleryError):
    """Photos cannot be embedded with another model: they are not stored, or show no face."""


class StoreTooNew(GalleryError):
    """A later version of this program has changed the tables."""


class StoreFailed(GalleryError):
    """The database cannot be read or written: disk full, locked, unreachable, or not a gallery."""


class ErasureIncomplete(GalleryError):
    """People or photos are removed, but their bytes may still be in files of the store."""
