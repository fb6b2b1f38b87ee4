"""Remove damaged cache files, so that their content is recomputed."""

import logging
import shutil
from pathlib import Path

_log = logging.getLogger(__name__)


def discard(path: Path, problem: str) -> None:
    """Remove a damaged cache file, or a folder in its place, with a warning."""
    _log.warning(
        "The cache file %s is damaged (%s). It is removed and its content recomputed.", path, problem
    )
    remove(path)


def remove(path: Path) -> None:
    """Remove a file, or a folder in its place, if there is one."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)
