"""Real servers on free local ports, each in its own process group."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

import requests

START_SECONDS, STOP_SECONDS = 300, 60


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


@contextmanager
def running(
    command: Sequence[str], health: str, *, log: Path, cwd: Path, env: Mapping[str, str] | None = None
) -> "Iterator[subprocess.Popen[bytes]]":
    """Run a server until the block ends and yield its process, once the URL `health` responds."""
    with log.open("wb") as file:
        process = subprocess.Popen(command, stdout=file, stderr=file, cwd=cwd, env=env, process_group=0)
    try:
        _wait_until_healthy(health, process, log)
        yield process
    finally:
        _end(process)


@contextmanager
def mlflow_running(
    arguments: Sequence[str], health: str, *, folder: Path, **environment: str
) -> Iterator[str]:
    """Run `mlflow ARGUMENTS` in a folder and yield its URL; `health` is a path under it."""
    port, programs = free_port(), Path(sys.executable).parent
    address = f"http://127.0.0.1:{port}"
    command = [sys.executable, "-m", "mlflow", *arguments, "--host", "127.0.0.1", "--port", str(port)]
    path = f"{programs}{os.pathsep}{os.environ['PATH']}"  # where mlflow looks for uvicorn
    everything = {**os.environ, "PATH": path, **environment}
    with running(command, address + health, log=folder / f"{port}.log", cwd=folder, env=everything):
        yield address


def _wait_until_healthy(address: str, process: "subprocess.Popen[bytes]", log: Path) -> None:
    deadline = time.monotonic() + START_SECONDS
    while process.poll() is None and time.monotonic() < deadline:
        with suppress(requests.RequestException):  # not listening yet
            if requests.get(address, timeout=10).ok:
                return
        time.sleep(0.1)
    raise AssertionError(f"{address} did not come up:\n{log.read_text()[-2000:]}")


def _end(process: "subprocess.Popen[bytes]") -> None:
    """Terminate the group, and kill it if it does not end in time."""
    if process.poll() is None:
        os.killpg(process.pid, signal.SIGTERM)
    try:
        process.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
