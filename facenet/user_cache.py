"""The user's cache, for files that can be written again."""

import os
from pathlib import Path

from facenet.errors import StorageFailed


def user_cache() -> Path:
    """Return $XDG_CACHE_HOME/facenet-pipeline, by default ~/.cache/facenet-pipeline; it may not exist.

    The XDG specification ignores a relative path in XDG_CACHE_HOME.

    Raises:
        StorageFailed: the user has no home.
    """
    named = Path(os.environ.get("XDG_CACHE_HOME", ""))
    try:
        return (named if named.is_absolute() else Path.home() / ".cache") / "facenet-pipeline"
    except RuntimeError as error:
        raise StorageFailed(f"{error}. Set XDG_CACHE_HOME to a folder for caches.") from error
