"""Programs of the system that some tests run: a browser, PostgreSQL."""

import os
import shutil
from collections.abc import Iterable, Sequence
from pathlib import Path

import pytest

REQUIRE = "FACENET_REQUIRE_ALL"  # set by .ci/run


def program(names: Sequence[str], *, package: str, folders: Iterable[Path] = ()) -> Path:
    """Return the first of `names` on the PATH or in `folders`.

    Where none is installed the test is skipped, or fails if FACENET_REQUIRE_ALL is set.
    """
    path = os.pathsep.join([os.environ.get("PATH", os.defpath), *map(str, folders)])
    found = next((place for name in names if (place := shutil.which(name, path=path))), None)
    if found is None:
        reason = f"none of {', '.join(names)} is installed: install the package {package}"
        if os.environ.get(REQUIRE):
            pytest.fail(f"{REQUIRE} is set, and {reason}", pytrace=False)
        pytest.skip(reason)
    return Path(found)
