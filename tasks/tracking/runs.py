"""Runs of the experiment: what one records, how it starts, resumes and ends."""

import hashlib
import json
import signal
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Any

from tasks.tracking.provenance import provenance, workspace
from tasks.tracking.store import client, look_up, told, tracking_uri

if TYPE_CHECKING:
    from mlflow import MlflowClient

EXPERIMENT = "facenet"
MAX_PARAM = 6000  # characters of a value, MLflow's limit
MAX_BATCH = 100  # params of one request, MLflow's limit
MAX_DATASET_DIGEST = 36  # characters, MLflow's limit; the whole digest is in the source
SYSTEM_METRICS_SECONDS = 5.0


@dataclass(frozen=True)
class Run:
    """One run of the tracking server."""

    run_id: str

    def log_params(self, params: Mapping[str, Any]) -> None:
        """Log parameters; sections become dotted names, other values their JSON.

        Logging the same value again does nothing, as a resumed run needs it. A value longer than MLflow takes
        becomes the artifact params/<name>.json, and the parameter names its sha256.

        Raises:
            TrackingFailed: a parameter of the run has another value already.
        """
        from mlflow.entities import Param

        flat = _flatten(params)
        with told():
            mlflow = client()
            for name, value in flat.items():
                if len(value) > MAX_PARAM:
                    mlflow.log_text(self.run_id, value, f"params/{name}.json")
                    flat[name] = f"params/{name}.json, sha256 {hashlib.sha256(value.encode()).hexdigest()}"
            entities = [Param(name, value) for name, value in flat.items()]
            for start in range(0, len(entities), MAX_BATCH):
                mlflow.log_batch(self.run_id, params=entities[start : start + MAX_BATCH])

    def log_metrics(
        self, metrics: Mapping[str, float], step: int = 0, *, model_id: str | None = None
    ) -> None:
        """Log metrics of one step in one request; `model_id` binds them to a logged model as well."""
        from mlflow.entities import Metric

        now = int(time.time() * 1000)
        entities = [Metric(k, float(v), now, step, model_id=model_id) for k, v in metrics.items()]
        with told():
            client().log_batch(self.run_id, entities)

    def log_dataset(self, name: str, digest: str, source: str) -> None:
        """Log that the run reads the dataset `name`: its digest and where it lies, none of its bytes."""
        from mlflow.entities import Dataset, DatasetInput

        origin = json.dumps({"uri": source, "digest": digest})
        dataset = Dataset(name, digest[:MAX_DATASET_DIGEST], "local", origin)
        with told():
            client().log_inputs(self.run_id, [DatasetInput(dataset, [])])

    def log_file(self, path: Path, folder: str = "") -> None:
        """Log a file as an artifact in `folder` of the run."""
        with told():
            client().log_artifact(self.run_id, str(path), folder or None)

    def log_text(self, text: str, artifact: str) -> None:
        """Log a text as the artifact of that path."""
        with told():
            client().log_text(self.run_id, text, artifact)

    def read_file(self, artifact: str) -> bytes | None:
        """Return the bytes of the artifact of that path, or None if the run has none."""
        folder = artifact.rpartition("/")[0]
        with told(), tempfile.TemporaryDirectory() as scratch:
            mlflow = client()
            if artifact not in {found.path for found in mlflow.list_artifacts(self.run_id, folder or None)}:
                return None
            return Path(mlflow.download_artifacts(self.run_id, artifact, scratch)).read_bytes()

    def set_tags(self, tags: Mapping[str, str]) -> None:
        """Set tags, each replacing the value it had."""
        with told():
            mlflow = client()
            for name, value in tags.items():
                mlflow.set_tag(self.run_id, name, value)

    def end(self, status: str) -> None:
        """End the run as FINISHED, FAILED or KILLED."""
        with told():
            client().set_terminated(self.run_id, status)


def _flatten(params: Mapping[str, Any], prefix: str = "") -> dict[str, str]:
    flat: dict[str, str] = {}
    for name, value in params.items():
        if isinstance(value, Mapping):
            flat |= _flatten(value, f"{prefix}{name}.")
        else:
            flat[f"{prefix}{name}"] = value if isinstance(value, str) else json.dumps(value, default=str)
    return flat


def start_run(*, name: str, tags: Mapping[str, str]) -> Run:
    """Return a new run of the experiment, tagged with where it comes from (see `provenance`)."""
    with told():
        mlflow = client()
        run = mlflow.create_run(_experiment(mlflow), run_name=name, tags={**provenance(), **tags})
    return Run(run.info.run_id)


def open_run(run_id: str) -> Run | None:
    """Return the run of that id, or None if this server does not know it or has deleted it."""
    run = look_up(lambda mlflow: mlflow.get_run(run_id))
    return Run(run_id) if run is not None and run.info.lifecycle_stage == "active" else None


def find_run(tag: str, value: str) -> Run | None:
    """Return the newest run of the experiment with that tag, or None."""
    with told():
        mlflow = client()
        found = mlflow.search_runs([_experiment(mlflow)], f"tags.`{tag}` = '{value}'", max_results=1)
    return Run(found[0].info.run_id) if found else None


@contextmanager
def training_run(*, name: str, tags: Mapping[str, str], resume: str | None = None) -> Iterator[Run]:
    """Yield a run, `resume` itself if this server knows it, with system metrics logged until it ends.

    The run ends FINISHED; FAILED after an exception; KILLED after SystemExit, KeyboardInterrupt or SIGTERM.
    SIGTERM raises SystemExit(143) here, unless the caller handles the signal himself. After SIGKILL it stays
    RUNNING until it is resumed.
    """
    run = open_run(resume) if resume else None
    if run is None:
        run = start_run(name=name, tags=tags)
    else:
        with told():
            client().update_run(run.run_id, status="RUNNING")
    status = "KILLED"
    try:
        with _system_metrics(run), _terminated():
            yield run
        status = "FINISHED"
    except Exception:
        status = "FAILED"
        raise
    finally:
        run.end(status)


@contextmanager
def _system_metrics(run: Run) -> Iterator[None]:
    from mlflow.system_metrics.system_metrics_monitor import SystemMetricsMonitor

    monitor = SystemMetricsMonitor(
        run.run_id, SYSTEM_METRICS_SECONDS, resume_logging=True, tracking_uri=tracking_uri()
    )
    monitor.start()
    try:
        yield
    finally:
        monitor.finish()


@contextmanager
def _terminated() -> Iterator[None]:
    """Make SIGTERM raise SystemExit, in the main thread of a process that has no handler of its own."""

    def leave(number: int, _frame: FrameType | None) -> None:
        raise SystemExit(128 + number)

    main = threading.current_thread() is threading.main_thread()
    if not main or signal.getsignal(signal.SIGTERM) is not signal.SIG_DFL:
        yield
        return
    signal.signal(signal.SIGTERM, leave)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)


def _experiment(mlflow: "MlflowClient") -> str:
    """Return the id of the experiment, made if need be.

    A store without a server keeps its artifacts in the workspace.
    """
    from mlflow.exceptions import MlflowException

    served = tracking_uri().startswith(("http:", "https:"))
    location = None if served else (workspace() / "mlartifacts" / EXPERIMENT).as_uri()
    if found := mlflow.get_experiment_by_name(EXPERIMENT):
        return str(found.experiment_id)
    with suppress(MlflowException):  # another process made it between the look and the creation
        return str(mlflow.create_experiment(EXPERIMENT, artifact_location=location))
    return str(mlflow.get_experiment_by_name(EXPERIMENT).experiment_id)
