"""The programs of PostgreSQL: those of the version that created a cluster, or else the newest."""

import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

from operations.errors import ServicesFailed
from operations.folder import Folder

VARIABLE = "FACENET_POSTGRESQL"  # a folder with VERSION/bin in it, or with the programs
DEFAULT = "/usr/lib/postgresql"
PROGRAMS = ("initdb", "pg_ctl", "postgres", "psql")


def find_binaries() -> Path | None:
    """Return the folder with the programs of the newest PostgreSQL, None if there is none."""
    return next(_installed(), None)


def require_binaries(folder: Folder) -> Path:
    """Return the folder with the programs for the cluster of the servers, or for a new one.

    Another version than the one that created a cluster cannot use it, and a system can have several.

    Raises:
        ServicesFailed: PostgreSQL is not installed, or not in that version.
    """
    try:
        version = (folder.postgresql / "data" / "PG_VERSION").read_text().strip()
    except OSError:  # a new folder
        version = ""
    found = next((path for path in _installed() if not version or major(path) == version), None)
    if found is None:
        what = f"PostgreSQL {version}, which created {folder.postgresql}," if version else "PostgreSQL"
        package = f"postgresql-{version}" if version else "postgresql"
        raise ServicesFailed(
            f"{what} is not installed: install the Debian package {package}, or set {VARIABLE} to the "
            "folder of its programs."
        )
    return found


def major(binaries: Path) -> str:
    """Return the major version of the programs in a folder, such as 15."""
    done = subprocess.run([str(binaries / "postgres"), "--version"], capture_output=True, text=True)
    found = re.search(r"\d+", done.stdout)
    return found[0] if found else ""


def _installed() -> Iterator[Path]:
    """Yield the folders with the programs, those of the newest version first."""
    base = Path(os.environ.get(VARIABLE) or DEFAULT)
    versions = sorted(base.glob("*/bin"), key=lambda path: _version(path.parent.name), reverse=True)
    on_path = shutil.which("initdb")
    folders = [base, base / "bin", *versions, *([Path(on_path).resolve().parent] if on_path else [])]
    return (path for path in folders if all((path / name).exists() for name in PROGRAMS))


def _version(name: str) -> tuple[int, ...]:
    return tuple(int(part) for part in name.split(".") if part.isdigit())
