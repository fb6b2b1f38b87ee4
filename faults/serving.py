"""A `facenet serve` for scenarios, with photos of the AT&T/ORL faces."""

import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
import requests

from faults.errors import FaultFound
from faults.project import ROOT
from tasks.tracking.models import example_photo

START_SECONDS = 300.0


@dataclass(frozen=True)
class Serving:
    """A running server."""

    port: int
    process: psutil.Process
    log: Path

    def embed(self) -> dict[str, Any]:
        """Return the answer for a real face.

        Raises:
            FaultFound: it is not 200.
        """
        return self._post("/v1/embed", {"photos": example_photo()})

    def verify(self) -> dict[str, Any]:
        """Return the answer for a real face and itself.

        Raises:
            FaultFound: it is not 200.
        """
        return self._post("/v1/verify", {"left": example_photo(), "right": example_photo()})

    def memory_mb(self) -> float:
        """Return the resident memory."""
        return float(self.process.memory_info().rss / 2**20)

    def _post(self, path: str, files: Mapping[str, bytes]) -> dict[str, Any]:
        response = requests.post(f"http://127.0.0.1:{self.port}{path}", files=files, timeout=120)
        if response.status_code != 200:
            raise FaultFound(f"{path} answered {response.status_code}: {response.text[:500]}")
        answer: dict[str, Any] = response.json()
        return answer


@contextmanager
def serving(folder: Path, *arguments: str, **variables: str) -> Iterator[Serving]:
    """Run `facenet serve` with its log and gallery in a folder until the block ends."""
    log = folder / "serve.log"
    command = [sys.executable, "-m", "commands.main", "serve", "--port", "0"]
    command += ["--gallery", str(folder / "gallery.db"), *arguments]
    environment = {**os.environ, "PYTHONPATH": str(ROOT), **variables}
    with log.open("wb") as file:
        process = subprocess.Popen(command, cwd=folder, env=environment, stderr=file)
    try:
        yield _ready(process, log)
    finally:
        process.terminate()
        process.wait(60)


def _ready(process: "subprocess.Popen[bytes]", log: Path) -> Serving:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        if found := re.search(r"Listening on http://127\.0\.0\.1:(\d+)", log.read_text()):
            with suppress(requests.RequestException):
                if requests.get(f"http://127.0.0.1:{found[1]}/readyz", timeout=10).ok:
                    return Serving(int(found[1]), psutil.Process(process.pid), log)
        time.sleep(0.1)
    raise FaultFound(f"facenet serve did not start:\n{log.read_text()[-3000:]}")
