"""Places to write to: permissions, space, and files that others can read but should not."""

import errno
import os
import shutil
import stat
import tempfile
from collections.abc import Iterator
from pathlib import Path

from commands.checks.finding import Finding, ok, wrong
from commands.checks.workspace import is_workspace
from facenet.storage import explain
from tasks import paths

LEAST_BYTES, LEAST_FILES = 2**30, 1000
SECRETS = (".env", ".services/secrets.json", ".services/env", "infra/docker/.env", "infra/docker/secrets/*")


def check_places() -> Iterator[Finding]:
    """Create a file in each folder that commands and stages write to, and look at the space there."""
    for place in _places():
        name = f"place {place}"
        try:
            with tempfile.NamedTemporaryFile(dir=place, prefix=".tmp-doctor-"):
                pass
        except OSError as error:
            yield wrong(name, str(explain(error, place) or error), _writable(place, error))
            continue
        yield _space(name, place)


def _places() -> Iterator[Path]:
    """Yield the folder for temporary files and, in a workspace, those of the stages."""
    yield Path(tempfile.gettempdir())
    if is_workspace():
        folders = (Path(), paths.DATA, paths.MODELS, paths.REPORTS, Path(".dvc/tmp"), Path(".dvc/cache"))
        yield from (folder for folder in folders if folder.exists())


def _writable(place: Path, error: OSError) -> str:
    """Return the command that makes a folder writable."""
    where = place.resolve()
    if not place.is_dir():
        return f"mv '{where}' '{where}.old'"
    if error.errno == errno.EROFS:
        return f"mount -o remount,rw '{_mount_of(where)}'"
    return f"sudo chown -R {os.getuid()} '{where}' && chmod -R u+rwX '{where}'"


def _mount_of(path: Path) -> Path:
    return next(folder for folder in (path, *path.parents) if folder.is_mount())


def _space(name: str, place: Path) -> Finding:
    usage, files = shutil.disk_usage(place), os.statvfs(place)
    fix = "make prune ARGS=--apply" if is_workspace() else f"free some space on {_mount_of(place.resolve())}"
    if usage.free < LEAST_BYTES:
        message = f"{usage.free / 2**20:.0f} MB are free of {usage.total / 2**20:.0f} MB"
        return wrong(name, f"{message}; training and downloads need at least 1 GB", fix)
    if files.f_files and files.f_favail < LEAST_FILES:
        return wrong(name, f"only {files.f_favail} more files can be created", fix)
    return ok(name, f"writable, {usage.free / 2**30:.0f} GB are free")


def check_secrets() -> Iterator[Finding]:
    """Find files with passwords that other users of this machine can read."""
    found = [path for pattern in SECRETS for path in sorted(Path().glob(pattern)) if path.is_file()]
    open_ones = [str(path) for path in found if path.stat().st_mode & (stat.S_IRGRP | stat.S_IROTH)]
    if open_ones:
        names = " ".join(open_ones)
        yield wrong("secrets", f"other users can read passwords in {names}", f"chmod 600 {names}")
    elif found:
        yield ok("secrets", f"only this user can read {', '.join(map(str, found))}")
