"""Ensure that only one flow run at a time works in a workspace."""

import fcntl
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from facenet.errors import FaceNetError
from flows.servers import require_mlflow
from tasks.tracking.store import check_database

LOCK = Path(".dvc/tmp/flow.lock")
POLL_SECONDS = 1.0


class WorkspaceInvalid(FaceNetError):
    """The working folder is not the root of a DVC repository, or not writable."""


def nothing() -> None:
    """Check nothing: the default of callbacks that may end a run."""


@contextmanager
def exclusive(
    run: str,
    on_wait: Callable[[str], None],
    *,
    on_locked: Callable[[], None] = nothing,
    check: Callable[[], None] = nothing,
) -> Iterator[None]:
    """Lock the workspace in the working folder; while another run holds it, wait and call `on_wait` once.

    The kernel releases the lock when its process ends, so it is never stale.

    Args:
        run: the name of the run, for those who wait for it.
        on_wait: called with what the run waits for.
        on_locked: called when the workspace is locked.
        check: called every second while it waits; an exception ends the wait.

    Raises:
        WorkspaceInvalid: the working folder has no .dvc, is not writable, or is not in a Git
            repository and DVC is not configured for that.
        TrackingFailed: the MLflow store is a file that is not a database, or its server does not answer.
    """
    _check()
    with LOCK.open("a+") as file:
        _acquire(file.fileno(), on_wait, check)
        file.truncate(0)
        file.write(f"{run}, process {os.getpid()}")
        file.flush()
        try:
            on_locked()
            yield
        finally:
            file.truncate(0)


def _check() -> None:
    here = Path.cwd()
    if not Path(".dvc").is_dir():
        raise WorkspaceInvalid(
            f"{here} is not a DVC workspace. Change to the root of the project, or run `dvc init`."
        )
    try:
        LOCK.parent.mkdir(exist_ok=True)
        LOCK.open("a").close()
    except OSError as error:
        raise WorkspaceInvalid(
            f"{here} cannot be locked: {error}. The workspace has to be writable for this user."
        ) from error
    check_database()  # of MLflow: before hours of work, not after them
    require_mlflow()
    if not any((folder / ".git").exists() for folder in (here, *here.parents)):
        _check_without_git()


def _check_without_git() -> None:
    from dvc.repo import Repo
    from dvc.scm import SCMError

    try:
        with Repo() as repo:
            assert repo.scm is not None
    except SCMError as error:
        raise WorkspaceInvalid(
            f"{error}, as DVC expects by default. To use DVC without Git run `make setup`, or "
            "`dvc config --local core.no_scm true`. To use Git run `git init`."
        ) from error


def _acquire(descriptor: int, on_wait: Callable[[str], None], check: Callable[[], None]) -> None:
    notified = False
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if not notified:
                on_wait(f"Waiting for {LOCK.read_text() or 'another run'} in {Path.cwd()}.")
            notified = True
            check()
            time.sleep(POLL_SECONDS)
        else:
            return
