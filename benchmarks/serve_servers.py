"""The servers of `benchmarks.serve`, each a process as users start it, and a client of each."""

import http.client
import json
import os
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil

from benchmarks.stage import ROOT
from facenet.errors import SourceInvalid
from facenet.model import CALIBRATION, CARD, WEIGHTS
from tasks.tracking.models import save_served_model
from tests.servers import free_port, running

NO_RUN = "0" * 32
SECONDS = 120.0  # for one answer
# The servers choose their numbers of threads themselves.
THREADS = ("OMP_NUM_THREADS", "OMP_WAIT_POLICY", "MKL_NUM_THREADS")


@dataclass(frozen=True)
class Rival:
    """A running server. path: that verifies. name: for messages."""

    name: str
    process: psutil.Process
    port: int
    path: str

    def verify_all(self, pairs: Sequence[tuple[str, str]]) -> list[float]:
        """Verify pairs of photos in base64, one after the other; return the seconds of each answer.

        Raises:
            SourceInvalid: an answer has no distance.
        """
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=SECONDS)
        seconds = []
        for left, right in pairs:
            row = {"left": left, "right": right}
            body = json.dumps(row if self.path == "/v1/verify" else {"inputs": [row]})
            started = time.perf_counter()
            connection.request("POST", self.path, body, {"Content-Type": "application/json"})
            response = connection.getresponse()
            content = response.read()
            seconds.append(time.perf_counter() - started)
            self._check(response.status, content)
        connection.close()
        return seconds

    def memory_mb(self) -> float:
        """Return the resident memory of the server and its child processes."""
        processes = [self.process, *self.process.children(recursive=True)]
        return float(sum(process.memory_info().rss for process in processes) / 2**20)

    def _check(self, status: int, content: bytes) -> None:
        answer: Any = json.loads(content) if status == 200 else {}
        found = answer["predictions"][0] if "predictions" in answer else answer
        if not isinstance(found.get("distance"), float):
            raise SourceInvalid(f"{self.name} answered {status}: {content[:300].decode(errors='replace')}")


def save_model(folder: Path, files: Path) -> Path:
    """Write the model in the folder `files` as MLflow serves a registered version; return `folder`."""
    save_served_model(
        folder,
        weights=files / WEIGHTS,
        card=files / CARD,
        calibration=files / CALIBRATION,
        run_id=NO_RUN,
        model_id=NO_RUN,
    )
    return folder


@contextmanager
def facenet_serve(folder: Path, files: Path, *arguments: str) -> Iterator[Rival]:
    """Run `facenet serve` with the model in the folder `files`, and further arguments."""
    port = free_port()
    command = [sys.executable, "-m", "commands.main", "serve", "--port", str(port), "--model", str(files)]
    command += ["--gallery", str(folder / "gallery.db"), *arguments]
    health = f"http://127.0.0.1:{port}/readyz"
    with running(command, health, log=folder / "facenet.log", cwd=folder, env=_environment()) as process:
        yield Rival("facenet serve", psutil.Process(process.pid), port, "/v1/verify")


@contextmanager
def mlflow_serve(folder: Path, model: Path, *, workers: int) -> Iterator[Rival]:
    """Run `mlflow models serve` with a model in a folder."""
    port = free_port()
    command = [sys.executable, "-m", "mlflow", "models", "serve", "-m", str(model), "--env-manager", "local"]
    command += ["--port", str(port), "--workers", str(workers)]
    log = folder / f"mlflow-{workers}.log"
    health = f"http://127.0.0.1:{port}/ping"
    with running(command, health, log=log, cwd=folder, env=_environment()) as process:
        yield Rival(f"mlflow with {workers} workers", psutil.Process(process.pid), port, "/invocations")


def _environment() -> dict[str, str]:
    environment = {name: value for name, value in os.environ.items() if name not in THREADS}
    programs = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"  # where mlflow finds uvicorn
    return {**environment, "PYTHONPATH": str(ROOT), "PATH": programs}
