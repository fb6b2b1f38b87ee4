"""All our errors can be caught, shown and sent between processes."""

import inspect
import pickle

import pytest

from facenet import errors
from facenet.errors import FaceNetError, ImageRejected

CHILDREN = [
    child
    for _, child in inspect.getmembers(errors, inspect.isclass)
    if issubclass(child, Exception) and child is not FaceNetError
]


def test_there_are_errors() -> None:
    assert len(CHILDREN) >= 10


@pytest.mark.parametrize("child", CHILDREN)
def test_every_error_is_a_documented_facenet_error(child: type[Exception]) -> None:
    assert issubclass(child, FaceNetError)
    assert child.__doc__


@pytest.mark.parametrize("child", CHILDREN)
def test_errors_survive_pickling_between_processes(child: type[Exception]) -> None:
    arguments = ["an argument"] * (len(inspect.signature(child).parameters) if child is ImageRejected else 1)
    error = child(*arguments)
    copy = pickle.loads(pickle.dumps(error))
    assert type(copy) is child
    assert str(copy) == str(error)


def test_a_rejected_image_carries_the_status_for_the_manifest() -> None:
    error = ImageRejected("corrupt", "cut off")
    assert (error.reason, str(error)) == ("corrupt", "cut off")
