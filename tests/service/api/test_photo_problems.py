import pytest

from facenet.results import PhotoError
from service.api.photo_problems import photo_problem


@pytest.mark.parametrize(
    ("reason", "status"),
    [("too_large", 413), ("too_many_faces", 413), ("unsupported", 415), ("corrupt", 422), ("no_face", 422)],
)
def test_the_status_says_what_is_wrong(reason: str, status: int) -> None:
    problem = photo_problem(PhotoError(reason, "why"), "left photo")
    assert (problem.status, problem.reason, problem.message) == (status, reason, "left photo: why")
