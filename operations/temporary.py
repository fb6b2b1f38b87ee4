"""A folder for temporary files of the worker, private to this user.

Prefect's worker creates /tmp/runner_storage, in which the worker of another user then cannot write. It is not
in the folder of the servers: processes of flows have sockets in it, whose path may have 107 bytes at most.
"""

import os
import shutil
import stat
import tempfile
from pathlib import Path

from operations.errors import ServicesFailed
from operations.folder import Folder
from operations.supervision import identity


def temporary_folder(folder: Folder) -> Path:
    """Return the path, which is short and the same at each start."""
    return Path(tempfile.gettempdir()) / identity(folder)


def create_temporary_folder(folder: Folder) -> Path:
    """Create the folder if it does not exist, and return its path.

    Raises:
        ServicesFailed: something of another user is in its place.
    """
    path = temporary_folder(folder)
    path.mkdir(mode=0o700, exist_ok=True)
    found = path.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.geteuid():
        raise ServicesFailed(f"{path} belongs to another user: remove it, or set TMPDIR to another folder.")
    return path


def remove_temporary_folder(folder: Folder) -> None:
    """Remove what flows have left in it."""
    shutil.rmtree(temporary_folder(folder), ignore_errors=True)
