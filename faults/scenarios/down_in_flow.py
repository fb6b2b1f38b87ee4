"""`make down` in a flow, and `make up` after the supervisor died in one: it ends, and Prefect records it."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil

from faults.errors import FaultFound
from faults.servers import Servers, running
from operations.http import ask
from operations.leftovers import leftovers
from operations.prefect import POOL
from operations.stack import client_environment, prefect_auth
from operations.supervision import Supervisor

SECONDS = 120.0
FLOW = """
import subprocess
from prefect import flow

@flow
def slow():
    subprocess.run(["sleep", "5000"])
"""
DEPLOYMENT = """
name: faults
pull: [{prefect.deployments.steps.set_working_directory: {directory: %s}}]
deployments:
  - {name: one, entrypoint: "slow.py:slow", work_pool: {name: %s}}
"""


def run(folder: Path) -> None:
    """Start a flow twice; end it by `down`, then by `up` after a SIGKILL of the supervisor."""
    code = folder / "code"
    code.mkdir()
    (code / "slow.py").write_text(FLOW)
    (code / "prefect.yaml").write_text(DEPLOYMENT % (json.dumps(str(code)), POOL))
    with running(folder) as servers:
        _prefect(servers, code, "--no-prompt", "deploy", "--all")
        _start(servers, code)
        start = time.monotonic()
        servers.command("down")
        print(f"   down in {time.monotonic() - start:.0f} s")
        if left := leftovers(servers.folder):
            raise FaultFound(f"still running after `down`: {left}")
        servers.command("up", "--wait", "240")
        _expect(servers, ["CRASHED"])
        _start(servers, code)
        os.kill(Supervisor(servers.stack).pid(), signal.SIGKILL)
        start = time.monotonic()
        servers.command("up", "--wait", "240")
        print(f"   up after the death of the supervisor in {time.monotonic() - start:.0f} s")
        _expect(servers, ["CRASHED", "CRASHED"])
        if _sleeping():
            raise FaultFound("the child of the flow is still running")


def _start(servers: Servers, code: Path) -> None:
    _prefect(servers, code, "deployment", "run", "slow/one")
    deadline = time.monotonic() + SECONDS
    while not _sleeping():
        if time.monotonic() > deadline:
            raise FaultFound("the worker did not start the flow")
        time.sleep(0.5)


def _prefect(servers: Servers, code: Path, *words: str) -> None:
    variables = {"PREFECT_HOME": str(code / "home"), **client_environment(servers.stack)}
    command = [sys.executable, "-m", "prefect", *words]
    subprocess.run(command, cwd=code, env={**os.environ, **variables}, check=True, capture_output=True)


def _sleeping() -> list[psutil.Process]:
    return [found for found in psutil.process_iter() if _command(found) == ["sleep", "5000"]]


def _command(process: psutil.Process) -> list[str]:
    try:
        return [] if process.status() == psutil.STATUS_ZOMBIE else list(process.cmdline())
    except psutil.Error:
        return []


def _expect(servers: Servers, states: list[str]) -> None:
    url = f"{servers.stack.settings.prefect_api}/flow_runs/filter"
    runs = json.loads(ask(url, {}, auth=prefect_auth(servers.stack), seconds=30))
    if [run["state_type"] for run in runs] != states:
        raise FaultFound(f"expected {states}: {[(run['name'], run['state']) for run in runs]}")
