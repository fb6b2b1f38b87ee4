"""Real MLflow servers and a real Dask cluster on loopback."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from tests.tasks.dask_processes import DaskProcesses


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


def wait_until_up(url: str, process: "subprocess.Popen[bytes]", log: Path, seconds: float = 300) -> None:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline and process.poll() is None:
        try:
            if requests.get(url, timeout=2).ok:
                return
        except requests.ConnectionError:
            time.sleep(0.2)
    pytest.fail(f"{url} did not come up:\n{log.read_text()[-2000:]}")


@pytest.fixture
def started(tmp_path_factory: pytest.TempPathFactory) -> Iterator["Starter"]:
    """Starts MLflow servers and ends them after the test."""
    starter = Starter(tmp_path_factory.mktemp("servers"))
    yield starter
    starter.end()


class Starter:
    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.processes: list[subprocess.Popen[bytes]] = []

    def __call__(self, arguments: list[str], health: str, **environment: str) -> str:
        """Run `mlflow ARGUMENTS --host 127.0.0.1 --port FREE` and return its address once it is healthy."""
        port, bin_folder = free_port(), Path(sys.executable).parent  # mlflow looks for uvicorn on the PATH
        log = self.folder / f"{port}.log"
        command = [sys.executable, "-m", "mlflow", *arguments, "--host", "127.0.0.1", "--port", str(port)]
        with log.open("wb") as file:
            process = subprocess.Popen(
                command,
                stdout=file,
                stderr=subprocess.STDOUT,
                cwd=self.folder,
                env={**os.environ, "PATH": f"{bin_folder}{os.pathsep}{os.environ['PATH']}", **environment},
                process_group=0,
            )
        self.processes.append(process)
        address = f"http://127.0.0.1:{port}"
        wait_until_up(address + health, process, log)
        return address

    def end(self) -> None:
        for process in self.processes:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGTERM)
        for process in self.processes:
            process.wait(30)


@pytest.fixture(scope="session")
def mlflow_server(migrated_store: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a tracking server with an empty store that keeps the artifacts itself."""
    folder = tmp_path_factory.mktemp("mlflow-server")
    (folder / "mlflow.db").write_bytes(migrated_store.read_bytes())
    starter = Starter(folder)
    store = ["--backend-store-uri", f"sqlite:///{folder / 'mlflow.db'}"]
    artifacts = ["--artifacts-destination", str(folder / "artifacts")]
    yield starter(
        ["server", "--workers", "1", *store, *artifacts],
        "/health",
        MLFLOW_SERVER_ENABLE_JOB_EXECUTION="false",
        PYTHONPATH=str(Path(__file__).parents[2]),
    )
    starter.end()


@pytest.fixture
def dask_processes(
    tmp_path_factory: pytest.TempPathFactory, root: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[DaskProcesses]:
    """A Dask scheduler, named in FACENET_DASK_SCHEDULER, and two workers."""
    started = DaskProcesses(tmp_path_factory.mktemp("dask"), root)
    monkeypatch.setenv("FACENET_DASK_SCHEDULER", started.address)
    monkeypatch.setattr("tasks.cluster.PATIENCE", 180.0)  # a busy machine
    try:
        yield started
    finally:
        started.end()
