"""Runs of the experiment: logging to them, starting, resuming and ending them."""

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
from tasks.tracking.store import client, look_up, mlflow_errors, tracking_uri

if TYPE_CHECKING:
    from mlflow import MlflowClient

EXPERIMENT, PROMOTIONS = "facenet", "facenet-promotions"
NOTES = {  # what MLflow's UI says about an experiment
    EXPERIMENT: "Trainings and sweeps: one run per trained model, with its data, parameters and evaluation.",
    PROMOTIONS: "The history of promotions, one run per decision: `python -m flows.promotion history`.",
}
MAX_PARAM = 6000  # characters of a value, MLflow's limit
MAX_BATCH = 100  # params per request, MLflow's limit
MAX_DATASET_DIGEST = 36  # characters, MLflow's limit; the source has the full digest


@dataclass(frozen=True)
class Run:
    """A run on the tracking server."""

    run_id: str

    def log_params(self, params: Mapping[str, Any]) -> None:
        """Log parameters, with dotted names for nested sections and JSON for values other than strings.

        Logging the same value again does nothing, so a resumed run can log all of them. A value too long for
        MLflow becomes the artifact params/<name>.json, and the parameter contains its sha256.

        Raises:
            TrackingFailed: the run already has a different value for a parameter.
        """
        from mlflow.entities import Param

        flat = flatten(params)
        with mlflow_errors():
            mlflow = client()
            for name, value in flat.items():
                if len(value) > MAX_PARAM:
                    mlflow.log_text(self.run_id, value, f"params/{name}.json")
                    flat[name] = f"params/{name}.json, sha256 {hashlib.sha256(value.encode()).hexdigest()}"
            entities = [Param(name, value) for name, value in flat.items()]
            for start in range(0, len(entities), MAX_BATCH):
                mlflow.log_batch(self.run_id, params=entities[start : start + MAX_BATCH])

    def log_metrics(
        self,
        metrics: Mapping[str, float],
        step: int = 0,
        *,
        model_id: str | None = None,
        at: int | None = None,
    ) -> None:
        """Log the metrics of a step in one request; `model_id` also links them to a logged model.

        at: their time in milliseconds since 1970, by default now. MLflow stores a metric with the same name,
        step, time and value once.
        """
        from mlflow.entities import Metric

        now = time.time_ns() // 1_000_000 if at is None else at
        entities = [Metric(k, float(v), now, step, model_id=model_id) for k, v in metrics.items()]
        with mlflow_errors():
            client().log_batch(self.run_id, entities)

    def metrics(self) -> dict[str, float]:
        """Return the latest value of each metric."""
        with mlflow_errors():
            return dict(client().get_run(self.run_id).data.metrics)

    def log_dataset(self, name: str, digest: str, source: str, dvc_md5: str | None = None) -> None:
        """Log the dataset `name` as an input of the run: its digests and location, not its bytes.

        digest: sha256. dvc_md5: under which DVC's cache and remote have it.
        """
        from mlflow.entities import Dataset, DatasetInput, InputTag

        origin = {"uri": source, "digest": digest, **({"dvc_md5": dvc_md5} if dvc_md5 else {})}
        text = json.dumps(origin, allow_nan=False)
        dataset = Dataset(name, digest[:MAX_DATASET_DIGEST], "local", text)
        with mlflow_errors():
            tags = [InputTag("mlflow.data.context", "training")]
            client().log_inputs(self.run_id, [DatasetInput(dataset, tags)])

    def log_file(self, path: Path, folder: str = "") -> None:
        """Log a file as an artifact in the run's `folder`."""
        with mlflow_errors():
            client().log_artifact(self.run_id, str(path), folder or None)

    def log_text(self, text: str, artifact: str) -> None:
        """Log text as the artifact with that path."""
        with mlflow_errors():
            client().log_text(self.run_id, text, artifact)

    def read_file(self, artifact: str) -> bytes | None:
        """Return the bytes of the artifact with that path, or None if the run has no such artifact."""
        folder = artifact.rpartition("/")[0]
        with mlflow_errors(), tempfile.TemporaryDirectory() as scratch:
            mlflow = client()
            if artifact not in {found.path for found in mlflow.list_artifacts(self.run_id, folder or None)}:
                return None
            return Path(mlflow.download_artifacts(self.run_id, artifact, scratch)).read_bytes()

    def set_tags(self, tags: Mapping[str, str]) -> None:
        """Set tags, replacing existing values."""
        with mlflow_errors():
            mlflow = client()
            for name, value in tags.items():
                mlflow.set_tag(self.run_id, name, value)

    def resume(self) -> None:
        """Set the status of the run to RUNNING."""
        with mlflow_errors():
            client().update_run(self.run_id, status="RUNNING")

    def end(self, status: str, *, at: int | None = None) -> None:
        """End the run with the status FINISHED, FAILED or KILLED.

        at: when, in milliseconds since 1970, by default now.
        """
        with mlflow_errors():
            client().set_terminated(self.run_id, status, end_time=at)


def flatten(params: Mapping[str, Any], prefix: str = "") -> dict[str, str]:
    """Return parameters with dotted names for nested sections, and JSON for values other than strings."""
    flat: dict[str, str] = {}
    for name, value in params.items():
        if isinstance(value, Mapping):
            flat |= flatten(value, f"{prefix}{name}.")
        else:
            flat[f"{prefix}{name}"] = (
                value if isinstance(value, str) else json.dumps(value, default=str, allow_nan=False)
            )
    return flat


def start_run(*, name: str, tags: Mapping[str, str]) -> Run:
    """Return a new run of the experiment, tagged with its provenance (see `provenance`)."""
    return create_run(name=name, tags={**provenance(), **tags})


def create_run(
    *, name: str, tags: Mapping[str, str], at: int | None = None, experiment: str = EXPERIMENT
) -> Run:
    """Return a new run of an experiment with these tags only.

    at: its start in milliseconds since 1970, by default now.
    """
    with mlflow_errors():
        mlflow = client()
        place = experiment_id(mlflow, experiment)
        run = mlflow.create_run(place, run_name=name, tags=dict(tags), start_time=at)
    return Run(run.info.run_id)


def open_run(run_id: str) -> Run | None:
    """Return the run with that id, or None if this server does not have it or it was deleted."""
    run = look_up(lambda mlflow: mlflow.get_run(run_id))
    return Run(run_id) if run is not None and run.info.lifecycle_stage == "active" else None


def find_run(tag: str, value: str) -> Run | None:
    """Return the newest run of the experiment with that tag, or None."""
    with mlflow_errors():
        mlflow = client()
        found = mlflow.search_runs([experiment_id(mlflow)], f"tags.`{tag}` = '{value}'", max_results=1)
    return Run(found[0].info.run_id) if found else None


@contextmanager
def training_run(*, name: str, tags: Mapping[str, str], resume: str | None = None) -> Iterator[Run]:
    """Yield a run: `resume` if this server has it, otherwise a new one.

    The run ends as FINISHED, as FAILED after an exception, or as KILLED after SystemExit, KeyboardInterrupt
    or SIGTERM. SIGTERM raises SystemExit(143) here, unless the caller handles the signal. After SIGKILL the
    run stays RUNNING until it is resumed.
    """
    run = open_run(resume) if resume else None
    if run is None:
        run = start_run(name=name, tags=tags)
    else:
        run.resume()
    status = "KILLED"
    try:
        with _terminated():
            yield run
        status = "FINISHED"
    except Exception:
        status = "FAILED"
        raise
    finally:
        run.end(status)


@contextmanager
def _terminated() -> Iterator[None]:
    """Make SIGTERM raise SystemExit in the main thread of a process without its own handler."""

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


def experiment_id(mlflow: "MlflowClient", name: str = EXPERIMENT) -> str:
    """Return the id of an experiment, creating it if necessary.

    Without a server, artifacts are stored in the workspace.
    """
    from mlflow.exceptions import MlflowException

    served = tracking_uri().startswith(("http:", "https:"))
    location = None if served else (workspace() / "mlartifacts" / name).as_uri()
    if found := mlflow.get_experiment_by_name(name):
        return str(found.experiment_id)
    with suppress(MlflowException):  # another process created it in the meantime
        tags = {"mlflow.note.content": NOTES[name]}
        return str(mlflow.create_experiment(name, artifact_location=location, tags=tags))
    return str(mlflow.get_experiment_by_name(name).experiment_id)
