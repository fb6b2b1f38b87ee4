"""Errors of the gallery are shown without a traceback, and can be sent between processes."""

import inspect
import pickle

import pytest

from facenet.errors import FaceNetError
from service.gallery import errors

CHILDREN = [
    child for _, child in inspect.getmembers(errors, inspect.isclass) if child.__module__ == errors.__name__
]


@pytest.mark.parametrize("child", CHILDREN)
def test_every_error_is_a_documented_facenet_error(child: type[Exception]) -> None:
    assert issubclass(child, errors.GalleryError)
    assert issubclass(child, FaceNetError)
    assert child.__doc__
    assert len(CHILDREN) > 10
    copy = pickle.loads(pickle.dumps(child("what and where")))
    assert (type(copy), str(copy)) == (child, "what and where")
