"""The packages of the extra `export`, imported when they are needed."""

from importlib import import_module
from typing import Any

from facenet.errors import PackageMissing


def required(module: str) -> Any:
    """Return a module of the extra `export`.

    Raises:
        PackageMissing: it is not installed.
    """
    try:
        return import_module(module)
    except ImportError as error:
        raise PackageMissing(
            f"This needs the package {module.partition('.')[0]}, which cannot be imported: {error}. "
            "Run `pip install 'facenet-pipeline[export]'`."
        ) from error
