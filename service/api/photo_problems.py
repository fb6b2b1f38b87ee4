"""The status of a request whose photos cannot be used."""

from facenet.results import PhotoError
from service.api.problems import Problem

STATUS = {"too_large": 413, "too_many_faces": 413, "unsupported": 415}
UNREADABLE = 422


def photo_problem(error: PhotoError, place: str) -> Problem:
    """Return the answer to a request with an unusable photo; place: says which photo of the request."""
    return Problem(STATUS.get(error.reason, UNREADABLE), error.reason, f"{place}: {error.message}")
