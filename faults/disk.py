"""A file system of our own, which scenarios fill up or make read-only; mounting one takes root."""

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from faults.errors import NotPossible

SIZE = 2**30  # bytes, of memory


class Disk:
    """A file system in memory, mounted at `folder`."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def fill(self, left: int) -> None:
        """Shrink the file system until only `left` bytes are free."""
        found = os.statvfs(self.folder)
        used = (found.f_blocks - found.f_bfree) * found.f_frsize
        self._remount(f"size={used + left}")

    def grow(self) -> None:
        """Give it its first size again, and make it writable."""
        self._remount(f"rw,size={SIZE}")

    def write_protect(self) -> None:
        """Make it read-only."""
        self._remount("ro")

    def _remount(self, options: str) -> None:
        subprocess.run(["mount", "-o", f"remount,{options}", self.folder], check=True)


@contextmanager
def disk(folder: Path) -> Iterator[Disk]:
    """Mount a new file system at `folder` until the block ends.

    Raises:
        NotPossible: this user or container may not mount.
    """
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", f"size={SIZE}", "tmpfs", str(folder)]
    try:
        subprocess.run(mount, check=True, capture_output=True, text=True)
    except (OSError, subprocess.CalledProcessError) as error:
        raise NotPossible(f"no file system can be mounted here: {error}; run as root") from error
    try:
        yield Disk(folder)
    finally:
        subprocess.run(["umount", "--lazy", folder], check=True)
