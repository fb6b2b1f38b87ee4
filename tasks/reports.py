"""The report of a stage: its metrics file, elapsed time and peak memory."""

import json
import math
import re
import threading
import time
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import psutil

from facenet.atomic import write_text
from facenet.errors import DataInvalid
from tasks import paths

NOT_FINITE = "not_finite"
REFUSED_LETTER = re.compile(r"[^\w\-. /]")  # by MLflow, in the name of a metric
STAGES = {
    paths.report(stage).name: stage
    for stage in ("ingest", "align", "triplets", "train", "evaluate", "register")
}
SAMPLE_SECONDS = 0.5  # listing the child processes takes milliseconds


def write_report(path: Path, metrics: Mapping[str, Any]) -> None:
    """Write metrics as strict JSON (see `strict`), keys in the given order, atomically."""
    write_text(path, json.dumps(strict(metrics), indent=2, ensure_ascii=False, allow_nan=False) + "\n")


def strict(metrics: Mapping[str, Any]) -> dict[str, Any]:
    """Return metrics that JSON can hold, which has neither NaN nor infinity.

    Such a number becomes None, and the last key, `not_finite`, maps its dotted name to "nan", "inf" or
    "-inf". Metrics that are all finite have no such key.
    """
    reasons: dict[str, str] = {}
    report: dict[str, Any] = _finite(metrics, "", reasons)
    return {**report, NOT_FINITE: reasons} if reasons else report


def read_report(path: Path) -> dict[str, Any]:
    """Return the metrics of a metrics file, with the numbers that `strict` replaced.

    Raises:
        DataInvalid: the file is missing, cannot be read or is not a JSON object, as after a full disk.
    """
    try:
        metrics = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise DataInvalid(f"There is no {path}. {_advice(path)}") from None
    except (OSError, ValueError) as error:
        raise DataInvalid(f"{path} cannot be read as a report: {error}. {_advice(path)}") from error
    if not isinstance(metrics, dict):
        raise DataInvalid(f"{path} cannot be read as a report: it is not a JSON object. {_advice(path)}")
    reasons = metrics.pop(NOT_FINITE, {})
    restored: dict[str, Any] = _restored(metrics, "", reasons) if reasons else metrics
    return restored


def numbers(metrics: Mapping[str, Any], prefix: str) -> dict[str, float]:
    """Return the finite numbers of nested metrics by their path, in letters that MLflow accepts."""
    flat: dict[str, float] = {}
    for name, value in metrics.items():
        if isinstance(value, Mapping):
            flat |= numbers(value, f"{prefix}/{name}")
        elif isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value):
            flat[REFUSED_LETTER.sub("_", f"{prefix}/{name}")] = value
    return flat


def _finite(value: Any, name: str, reasons: dict[str, str]) -> Any:
    """Return a copy of `value` with None for numbers that are not finite, and add these to `reasons`."""
    if isinstance(value, Mapping):
        return {str(k): _finite(v, f"{name}.{k}" if name else str(k), reasons) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(item, f"{name}.{place}", reasons) for place, item in enumerate(value)]
    if isinstance(value, float) and not math.isfinite(value):
        reasons[name] = str(float(value))
        return None
    return value


def _restored(value: Any, name: str, reasons: Mapping[str, str]) -> Any:
    """Return a copy of `value` with the numbers that `_finite` replaced; any other None stays."""
    if isinstance(value, dict):
        return {k: _restored(v, f"{name}.{k}" if name else k, reasons) for k, v in value.items()}
    if isinstance(value, list):
        return [_restored(item, f"{name}.{place}", reasons) for place, item in enumerate(value)]
    return float(reasons[name]) if value is None and name in reasons else value


def _advice(path: Path) -> str:
    return f"Run `dvc repro {STAGES[path.name]}`." if path.name in STAGES else "Delete it and write it again."


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
