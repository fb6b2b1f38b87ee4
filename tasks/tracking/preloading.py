"""The import of MLflow, which takes seconds and which several threads need: one at a time, for all of them.

Two threads that import parts of MLflow at the same time wait for each other's modules, and Python ends one
of them with a _DeadlockError. So whoever needs MLflow in a thread calls `import_mlflow` first.
"""

import threading
from importlib import import_module

MODULES = (
    "mlflow",
    "mlflow.entities",
    "mlflow.store.tracking.sqlalchemy_store",
    "mlflow.store.model_registry.sqlalchemy_store",
    "mlflow.system_metrics.metrics.cpu_monitor",
    "mlflow.system_metrics.metrics.disk_monitor",
    "mlflow.system_metrics.metrics.gpu_monitor",
    "mlflow.system_metrics.metrics.network_monitor",
)
_ONE_AT_A_TIME = threading.Lock()


def import_mlflow() -> None:
    """Import what threads use of MLflow, or wait until another thread has."""
    with _ONE_AT_A_TIME:
        for name in MODULES:
            import_module(name)


def preload() -> threading.Thread:
    """Start to import MLflow, while a flow waits for a child process anyway, and return the thread."""
    thread = threading.Thread(target=import_mlflow, name="preload", daemon=True)
    thread.start()
    return thread
