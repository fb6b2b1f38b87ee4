"""The report of a stage: its metrics file, elapsed time and peak memory."""

import json
import threading
import time
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import psutil

from facenet.atomic import write_text

SAMPLE_SECONDS = 0.5  # listing the child processes takes milliseconds


def write_report(path: Path, metrics: dict[str, Any]) -> None:
    """Write metrics as JSON, keys in the given order, atomically."""
    write_text(path, json.dumps(metrics, indent=2, ensure_ascii=False) + "\n")


def read_report(path: Path) -> dict[str, Any]:
    """Return the metrics of a metrics file."""
    metrics: dict[str, Any] = json.loads(path.read_text())
    return metrics


class Meter:
    """Measure wall time in seconds and the peak memory in megabytes of this process and its children.

    Memory is the sum of the resident sets, sampled every 0.5 s: pages shared by two processes count twice.
    """

    def __init__(self) -> None:
        self.seconds = 0.0
        self.peak_memory_mb = 0.0
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._sample, daemon=True)

    def __enter__(self) -> Self:
        self._start = time.perf_counter()
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.seconds = time.perf_counter() - self._start
        self._stop.set()
        self._thread.join()

    def rate(self, count: int) -> float:
        """Return `count` per second of measured time, rounded to one decimal."""
        return round(count / self.seconds, 1) if self.seconds else 0.0

    def _sample(self) -> None:
        process = psutil.Process()
        while True:
            resident = sum(_resident(p) for p in [process, *process.children(recursive=True)])
            self.peak_memory_mb = round(max(self.peak_memory_mb, resident / 2**20), 1)
            if self._stop.wait(SAMPLE_SECONDS):
                return


def _resident(process: psutil.Process) -> int:
    try:
        return int(process.memory_info().rss)
    except psutil.NoSuchProcess:
        return 0  # it ended after it was listed
