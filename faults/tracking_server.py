"""A real MLflow server in a folder of a scenario, which stays on its port when it is stopped and started."""

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from faults.errors import FaultFound

SECONDS = 120


class TrackingServer:
    """A server with an SQLite store."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir()
        with socket.socket() as listener:
            listener.bind(("127.0.0.1", 0))
            self.port = int(listener.getsockname()[1])
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def uri(self) -> str:
        """Its address, for MLFLOW_TRACKING_URI."""
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        """Start it and wait until it answers."""
        command = [sys.executable, "-m", "mlflow", "server", "--host", "127.0.0.1", "--port", str(self.port)]
        store = ["--workers", "1", "--backend-store-uri", f"sqlite:///{self.folder / 'mlflow.db'}"]
        artifacts = ["--artifacts-destination", str(self.folder / "artifacts")]
        programs = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
        settings = {"MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false", "MLFLOW_DISABLE_TELEMETRY": "true"}
        with (self.folder / "server.log").open("ab") as log:
            self._process = subprocess.Popen(
                [*command, *store, *artifacts],
                env={**os.environ, **settings, "PATH": programs},
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        deadline = time.monotonic() + SECONDS
        while not self._answers():
            if time.monotonic() > deadline:
                raise FaultFound(f"MLflow did not start:\n{(self.folder / 'server.log').read_text()[-2000:]}")
            time.sleep(0.3)

    def end(self, number: int = signal.SIGTERM) -> None:
        """Send a signal to all its processes, and wait for the end."""
        if self._process is not None:
            os.killpg(self._process.pid, number)
            self._process.wait(SECONDS)
        self._process = None

    def _answers(self) -> bool:
        try:
            with urllib.request.urlopen(f"{self.uri}/health", timeout=5) as answer:
                return bool(answer.status == 200)
        except (urllib.error.URLError, OSError):
            return False


@contextmanager
def tracking_server(folder: Path) -> Iterator[TrackingServer]:
    """Run a server until the block ends."""
    server = TrackingServer(folder)
    server.start()
    try:
        yield server
    finally:
        server.end(signal.SIGKILL)
