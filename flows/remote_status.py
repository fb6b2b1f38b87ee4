"""`python -m flows.remote_status`: whether DVC's default remote can be reached.

Exit code 0: it can; 3: there is none. 1: it cannot; the second line is what to do about it.
"""

import sys
from pathlib import Path
from typing import NoReturn

from facenet.errors import FaceNetError
from tasks.redaction import redact

REACHED, FAILED, NONE = 0, 1, 3


class RemoteMissing(FaceNetError):
    """The default remote cannot be reached; `fix` is the command to try."""

    def __init__(self, message: str, fix: str) -> None:
        super().__init__(message)
        self.fix = fix


def reach() -> str | None:
    """Return a line about the default remote of the working folder, None if it has none.

    Raises:
        RemoteMissing: its settings are wrong, a package is missing, or it does not answer.
    """
    from dvc.exceptions import DvcException
    from dvc.repo import Repo

    try:
        with Repo() as repo:
            name = repo.config["core"].get("remote")
            if not name:
                return None
            remote = repo.cloud.get_remote(name)
            _ask(name, remote.fs, remote.path)
            return f"{name} at {redact(str(remote.path))} answers"
    except DvcException as error:
        fix = "dvc remote list, then dvc remote modify or dvc remote add --force"
        if "dvc_s3" in str(error) or "dvc-s3" in str(error):
            fix = "pip install 'facenet-pipeline[s3]'"
        raise RemoteMissing(redact(" ".join(str(error).split())), fix) from error


def _ask(name: str, system: object, path: str) -> None:
    """List the place of a remote.

    Raises:
        RemoteMissing: it does not exist, or does not answer.
    """
    local = getattr(system, "protocol", "") == "local"
    try:
        system.ls(path)  # type: ignore[attr-defined]  # DVC's file systems
    except FileNotFoundError as error:
        if not local:
            return  # a bucket's folder exists once something is in it
        fix = f"mount it, or mkdir -p '{path}' and dvc push"
        raise RemoteMissing(f"the remote {name} is {path}, which does not exist", fix) from error
    except Exception as error:  # each file system has errors of its own
        reason = redact(" ".join(str(error).split()) or type(error).__name__)
        fix = f"check its address and password: dvc remote modify {name}"
        raise RemoteMissing(f"the remote {name} at {redact(path)} does not answer: {reason}", fix) from error
    if local and not _writable(Path(path)):
        raise RemoteMissing(f"the remote {name} at {path} is not writable", f"chmod -R u+rwX '{path}'")


def _writable(path: Path) -> bool:
    import os

    return os.access(path, os.W_OK)


def main() -> NoReturn:
    """Print what `reach` found, and exit with its code."""
    try:
        line = reach()
    except RemoteMissing as error:
        sys.stdout.write(f"{error}\n{error.fix}\n")
        sys.exit(FAILED)
    sys.stdout.write(f"{line}\n" if line else "")
    sys.exit(REACHED if line else NONE)


if __name__ == "__main__":
    main()
