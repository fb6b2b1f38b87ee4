"""The workspace in the working folder: its parameters, mirrors, and what killed programs left locked."""

import json
import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from commands.checks.finding import Finding, note, ok, wrong
from facenet.errors import FaceNetError
from tasks import paths

if TYPE_CHECKING:
    from tasks.params import Params

GIT_SECONDS = 60.0  # git holds its lock for less


def is_workspace() -> bool:
    """Return whether the working folder is the root of a project."""
    return Path("dvc.yaml").exists() and paths.PARAMS.exists()


def check_workspace() -> Iterator[Finding]:
    """Check params.yaml, and that DVC has its folder."""
    if not is_workspace():
        message = f"{Path.cwd()} is not the root of a project: what concerns the pipeline is not checked"
        yield note("workspace", message)
        return
    if not Path(".dvc").is_dir():
        yield wrong("workspace", f"{Path.cwd()} has no .dvc", "git checkout -- .dvc, or dvc init --no-scm")
    elif not Path(".git").exists() and "no_scm" not in _text(Path(".dvc/config.local")):
        message = "there is no .git, and DVC is not configured to work without Git"
        yield wrong("workspace", message, "dvc config --local core.no_scm true")
    else:
        yield ok("workspace", str(Path.cwd()))
    try:
        read_params()
    except FaceNetError as error:
        fix = f"correct {paths.PARAMS}; `git diff {paths.PARAMS}` shows what has changed"
        yield wrong("params", " ".join(str(error).split()), fix)
    else:
        yield ok("params", f"{paths.PARAMS} is valid")


def read_params() -> "Params":
    """Return the parameters in params.yaml as it is now.

    Raises:
        ParamsInvalid: a key or value is not valid.
    """
    from tasks.params import parse_params  # imported late: not part of a bare installation
    from tasks.params.document import read_text

    return parse_params(read_text(paths.PARAMS))


def check_mirrors() -> Iterator[Finding]:
    """Check that the folders in FACENET_MIRRORS exist."""
    from tasks.downloads.lookup import MIRRORS, mirrors

    places = [place for place in mirrors() if "://" not in place]
    missing = [place for place in places if not Path(place).is_dir()]
    if missing:
        rest = os.pathsep.join(place for place in mirrors() if place not in missing)
        fix = f"mount it, or export {MIRRORS}={rest}" if rest else f"mount it, or unset {MIRRORS}"
        yield wrong("mirrors", f"{MIRRORS} names {', '.join(missing)}, which is not a folder", fix)
    elif places:
        yield ok("mirrors", f"{MIRRORS} names {', '.join(places)}")


def check_locks() -> Iterator[Finding]:
    """Find locks that no running program can hold."""
    lock = Path(".git/index.lock")
    if lock.exists() and time.time() - lock.stat().st_mtime > GIT_SECONDS:
        minutes = (time.time() - lock.stat().st_mtime) / 60
        message = f"{lock} is {minutes:.0f} minutes old: a killed git left it, and nothing can be committed"
        yield wrong("git lock", message, f"rm {lock}")
    read_write = Path(".dvc/tmp/rwlock")
    if read_write.exists():
        yield _dvc_lock(read_write)


def _dvc_lock(path: Path) -> Finding:
    """Return whether DVC can read its list of running commands; ended ones in it do no harm."""
    try:
        json.loads(path.read_text())
    except ValueError:
        return wrong("dvc lock", f"{path} is damaged: a killed DVC left it, and none can run", f"rm {path}")
    return ok("dvc lock", f"{path} is valid")


def _text(path: Path) -> str:
    return path.read_text() if path.exists() else ""
