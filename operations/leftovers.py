"""Processes of the servers that outlived their supervisor: after its death, or grandchildren after a stop."""

import os
import signal
import time
from contextlib import suppress

import psutil

from operations.folder import MARKER, NAME, Folder
from operations.postgresql import postmaster

GRACE_SECONDS, FLOW_SECONDS = 20.0, 60.0


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


def end_flows(worker: int, *, grace: float = FLOW_SECONDS) -> int:
    """Ask the flows of a worker to end, while Prefect can still record that; return how many there were.

    A worker that ends kills them, and their runs would stay Running. A training writes a checkpoint first.
    """
    try:
        flows = psutil.Process(worker).children() if worker else []
    except psutil.NoSuchProcess:
        return 0
    _end(flows, signal.SIGTERM, grace)
    return len(flows)


def end_leftovers(folder: Folder, *, grace: float = GRACE_SECONDS) -> list[str]:
    """End what is left over, by SIGKILL after `grace` seconds; return a description of each.

    Flows are asked first, PostgreSQL last, by the signal that does not wait for its clients.
    """
    found = leftovers(folder)
    for worker in _workers(found):
        end_flows(worker)
    described = [_describe(process) for process in found]
    database = postmaster(folder)
    others = [process for process in found if process != database]
    _end(others, signal.SIGTERM, grace)
    if database is not None:
        _end([database], signal.SIGINT, grace)
    return described


def _workers(found: list[psutil.Process]) -> list[int]:
    """Return the workers, whose flows have inherited their mark."""
    marked = {process.pid: process for process in found if _environment(process).get(NAME) == "worker"}
    return [pid for pid, process in marked.items() if process.ppid() not in marked]


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
