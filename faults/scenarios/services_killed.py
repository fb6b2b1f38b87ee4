"""SIGKILL of servers, one by one and all at once, and a reboot: all of it comes back, and nothing twice.

The supervisor restarts what dies. After the death of everything `make up` does, in spite of stale pid files,
even where another process has the number of PostgreSQL's.
"""

import os
import signal
import time
from pathlib import Path

import psutil

from faults.errors import FaultFound
from faults.servers import Servers, running
from operations.http import ask
from operations.leftovers import leftovers
from operations.postgresql import postmaster
from operations.stack import client_environment, mlflow_auth
from operations.status import Row, rows
from operations.supervision import Supervisor

BACK_SECONDS = 180.0


def run(folder: Path) -> None:
    """Kill each server, then the supervisor alone, then everything, then pretend a reboot."""
    with running(folder) as servers:
        count = _create_experiment(servers)
        for row in rows(servers.stack):
            seconds = _kill_one(servers, row)
            print(f"   {row.name}: healthy {seconds:.0f} s after SIGKILL")
        os.kill(Supervisor(servers.stack).pid(), signal.SIGKILL)
        _expect_up(servers, "the death of the supervisor")
        for process in leftovers(servers.folder):
            process.kill()
        _expect_up(servers, "the death of everything")
        _pretend_reboot(servers)
        _expect_up(servers, "a reboot")
        if _experiments(servers) != count:
            raise FaultFound("MLflow has lost or doubled experiments")
    if left := leftovers(servers.folder):
        raise FaultFound(f"still running after `down`: {left}")


def _kill_one(servers: Servers, row: Row) -> float:
    start = time.monotonic()
    os.kill(row.pid, signal.SIGKILL)
    time.sleep(2)  # the second process of MLflow answers until the supervisor has started another server
    while True:
        now = next(found for found in rows(servers.stack) if found.name == row.name)
        if now.pid not in (0, row.pid) and now.good and all(found.good for found in rows(servers.stack)):
            return time.monotonic() - start
        if time.monotonic() - start > BACK_SECONDS:
            raise FaultFound(f"{row.name} did not come back: {now}")
        time.sleep(0.5)


def _expect_up(servers: Servers, after: str) -> None:
    start = time.monotonic()
    servers.command("up", "--wait", str(BACK_SECONDS))
    found = rows(servers.stack)
    if not found or not all(row.good for row in found):
        raise FaultFound(f"after {after}: {found}")
    _check_single(servers, after)
    print(f"   after {after}: up in {time.monotonic() - start:.0f} s")


def _check_single(servers: Servers, after: str) -> None:
    """Check that each server listens once: every process is a child of this supervisor."""
    supervisor = Supervisor(servers.stack).pid()
    for process in leftovers(servers.folder):
        if supervisor not in (process.pid, *(parent.pid for parent in process.parents())):
            raise FaultFound(f"after {after} {process} runs without the supervisor")


def _pretend_reboot(servers: Servers) -> None:
    """Kill everything, and give PostgreSQL's number to a process of the same user that lives on."""
    found = leftovers(servers.folder)
    database = postmaster(servers.folder)
    for process in found:
        process.kill()
    psutil.wait_procs(found, timeout=30)
    if database is None:
        return  # the SQLite profile
    file = servers.folder.postgresql / "data" / "postmaster.pid"
    lines = file.read_text().splitlines()
    file.write_text("\n".join([str(os.getpid()), *lines[1:]]) + "\n")


def _create_experiment(servers: Servers) -> int:
    url = f"{client_environment(servers.stack)['MLFLOW_TRACKING_URI']}/api/2.0/mlflow/experiments/create"
    ask(url, {"name": "before"}, auth=mlflow_auth(servers.stack))
    return _experiments(servers)


def _experiments(servers: Servers) -> int:
    url = f"{client_environment(servers.stack)['MLFLOW_TRACKING_URI']}/api/2.0/mlflow/experiments/search"
    return ask(url, {"max_results": 100}, auth=mlflow_auth(servers.stack)).count(b'"experiment_id"')
