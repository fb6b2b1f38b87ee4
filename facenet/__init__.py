"""Face detection, embedding and verification: values in, values out, no files of the pipeline, no servers.

`from facenet import FaceModel` is the way from photos to answers. It is imported on first use: torch takes
seconds, and much of this package does without.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from facenet.face_model import FaceModel
    from facenet.results import Face, PhotoError, Quality, Verification

__all__ = ["Face", "FaceModel", "PhotoError", "Quality", "Verification"]


def __getattr__(name: str) -> Any:
    """Return a class of `__all__`, importing its module."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module("facenet.face_model" if name == "FaceModel" else "facenet.results"), name)
