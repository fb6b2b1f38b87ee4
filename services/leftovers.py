"""Processes of the servers that outlived their supervisor: after its death, or grandchildren after a stop."""

import os
import signal
import time
from contextlib import suppress

import psutil

from services.folder import MARKER, NAME, Folder
from services.postgresql import postmaster

GRACE_SECONDS = 20.0


def leftovers(folder: Folder) -> list[psutil.Process]:
    """Return the processes that were started for this folder, without ourselves and our ancestors.

    They have the folder in their environment, except PostgreSQL, which overwrites it.
    """
    ourselves = {os.getpid(), *(process.pid for process in psutil.Process().parents())}
    found = [process for process in psutil.process_iter() if _is_marked(process, str(folder.path))]
    database = postmaster(folder)
    marked = [process for process in found if process.pid not in ourselves]
    return marked if database is None or database in marked else [*marked, database]


def end_orphans(folder: Folder, name: str) -> None:
    """End at once the processes of a server that outlived it: they would hold its port.

    `mlflow server` is two processes; the second one survives when the first one is killed.
    """
    found = [process for process in leftovers(folder) if _environment(process).get(NAME) == name]
    _end(found, signal.SIGKILL, GRACE_SECONDS)


def end_leftovers(folder: Folder, *, grace: float = GRACE_SECONDS) -> list[str]:
    """End what is left over, by SIGKILL after `grace` seconds; return a description of each.

    PostgreSQL is asked last, by the signal that does not wait for its clients.
    """
    found = leftovers(folder)
    described = [_describe(process) for process in found]
    database = postmaster(folder)
    others = [process for process in found if process != database]
    _end(others, signal.SIGTERM, grace)
    if database is not None:
        _end([database], signal.SIGINT, grace)
    return described


def _end(processes: list[psutil.Process], number: signal.Signals, grace: float) -> None:
    for process in processes:
        with suppress(psutil.NoSuchProcess):
            process.send_signal(number)
    _, alive = psutil.wait_procs(processes, timeout=grace)
    for process in alive:
        with suppress(psutil.NoSuchProcess):
            process.kill()
    psutil.wait_procs(alive, timeout=grace)


def wait_for_end(pid: int, seconds: float) -> bool:
    """Return whether a process has ended within some seconds."""
    deadline = time.monotonic() + seconds
    while psutil.pid_exists(pid) and psutil.Process(pid).status() != psutil.STATUS_ZOMBIE:
        if time.monotonic() > deadline:
            return False
        time.sleep(0.1)
    return True


def _is_marked(process: psutil.Process, folder: str) -> bool:
    return _environment(process).get(MARKER) == folder


def _environment(process: psutil.Process) -> dict[str, str]:
    """Return the environment of a running process of this user, nothing of others."""
    try:
        return {} if process.status() == psutil.STATUS_ZOMBIE else dict(process.environ())
    except (psutil.Error, OSError):
        return {}


def _describe(process: psutil.Process) -> str:
    try:
        return f"process {process.pid} ({' '.join(process.cmdline()[1:5])})"
    except psutil.Error:
        return f"process {process.pid}"
