"""A real MLflow server and a real Dask cluster on loopback."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.servers import mlflow_running
from tests.tasks.dask_processes import DaskProcesses


@pytest.fixture(scope="session")
def mlflow_server(
    migrated_store: Path, tmp_path_factory: pytest.TempPathFactory, root: Path
) -> Iterator[str]:
    """The URL of a tracking server with an empty store, which also serves artifacts."""
    folder = tmp_path_factory.mktemp("mlflow-server")
    (folder / "mlflow.db").write_bytes(migrated_store.read_bytes())
    store = ["--backend-store-uri", f"sqlite:///{folder / 'mlflow.db'}"]
    artifacts = ["--artifacts-destination", str(folder / "artifacts")]
    with mlflow_running(
        ["server", "--workers", "1", *store, *artifacts],
        "/health",
        folder=folder,
        MLFLOW_SERVER_ENABLE_JOB_EXECUTION="false",
        PYTHONPATH=str(root),
    ) as address:
        yield address


@pytest.fixture
def dask_processes(
    tmp_path_factory: pytest.TempPathFactory, root: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[DaskProcesses]:
    """A Dask scheduler, named in FACENET_DASK_SCHEDULER, and two workers."""
    started = DaskProcesses(tmp_path_factory.mktemp("dask"), root)
    monkeypatch.setenv("FACENET_DASK_SCHEDULER", started.address)
    monkeypatch.setattr("tasks.workers.cluster.PATIENCE", 180.0)  # a busy machine
    try:
        yield started
    finally:
        started.end()
