"""Metrics of the machine during a run: CPU, memory, disk, network and GPU, with MLflow's names."""

import threading
from collections.abc import Mapping
from types import TracebackType
from typing import Any, Protocol, Self

from tasks.tracking.preloading import import_mlflow

SECONDS = 5.0  # between samples


class MetricLog(Protocol):
    """Takes the metrics of a step, as `Run` and `Outbox` do."""

    def log_metrics(self, metrics: Mapping[str, float], step: int) -> None:
        """Log the metrics of a step."""


class AgedLog(MetricLog, Protocol):
    """Also knows its age, as `Outbox` does."""

    def seconds(self) -> int:
        """Return the seconds since the run was first started."""


class SystemMetrics:
    """Logs system/NAME every five seconds while the block runs; the step is the run's age in seconds.

    MLflow's own monitor sends them itself, and ends when the server does not answer once.
    """

    def __init__(self, log: AgedLog) -> None:
        self._log, self._stop = log, threading.Event()
        self._thread = threading.Thread(target=self._work, name="system metrics", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop.set()
        self._thread.join()

    def _work(self) -> None:
        monitors = _monitors()
        while not self._stop.wait(SECONDS):
            metrics: dict[str, float] = {}
            for monitor in monitors:
                monitor.collect_metrics()
                metrics |= monitor.aggregate_metrics()
                monitor.clear_metrics()
            self._log.log_metrics(
                {f"system/{name}": value for name, value in metrics.items()}, self._log.seconds()
            )


def _monitors() -> list[Any]:
    import_mlflow()
    from mlflow.system_metrics.metrics.cpu_monitor import CPUMonitor
    from mlflow.system_metrics.metrics.disk_monitor import DiskMonitor
    from mlflow.system_metrics.metrics.gpu_monitor import GPUMonitor
    from mlflow.system_metrics.metrics.network_monitor import NetworkMonitor

    monitors = [CPUMonitor(), DiskMonitor(), NetworkMonitor()]
    try:
        return [*monitors, GPUMonitor()]
    except (ImportError, RuntimeError):  # no GPU, or no nvidia-ml-py
        return monitors
