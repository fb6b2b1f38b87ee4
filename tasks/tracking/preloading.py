"""MLflow imported in a thread: it takes seconds, in which a flow waits for a child process anyway."""

import threading
from importlib import import_module

MODULES = ("mlflow", "mlflow.store.tracking.sqlalchemy_store", "mlflow.store.model_registry.sqlalchemy_store")


def preload() -> threading.Thread:
    """Start to import what the registry needs, and return the thread; nothing has to wait for it."""
    thread = threading.Thread(target=_import, name="preload", daemon=True)
    thread.start()
    return thread


def _import() -> None:
    for name in MODULES:
        import_module(name)
