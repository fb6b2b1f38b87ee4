"""All artifacts of a tracking store, of runs and of logged models, wherever they are, and their removal."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tasks.tracking.runs import EXPERIMENT, PROMOTIONS
from tasks.tracking.store import client, mlflow_errors, tracking_uri

PAGE = 500


@dataclass(frozen=True)
class Owner:
    """A run or a logged model. location: the URI of its artifacts. tags, params: of a run."""

    kind: str
    id: str
    location: str
    tags: dict[str, str]
    params: dict[str, str]


def owners() -> Iterator[Owner]:
    """Yield the runs of the experiments, deleted ones too, and the logged models.

    Raises:
        TrackingFailed: the store cannot be read.
    """
    from mlflow.entities import ViewType

    with mlflow_errors():
        mlflow = client()
        found = (mlflow.get_experiment_by_name(name) for name in (EXPERIMENT, PROMOTIONS))
        for experiment in [str(one.experiment_id) for one in found if one is not None]:
            for run in _pages(mlflow.search_runs, [experiment], run_view_type=ViewType.ALL):
                info, data = run.info, run.data
                yield Owner("run", info.run_id, info.artifact_uri, dict(data.tags), dict(data.params))
            for model in _pages(mlflow.search_logged_models, [experiment]):
                yield Owner("model", model.model_id, model.artifact_location, {}, {})


def files(owner: Owner) -> Iterator[str]:
    """Yield the paths of the artifacts, relative to their location, sorted within each folder."""
    repository = _repository(owner)
    pending = [""]
    with mlflow_errors():
        while pending:
            for item in sorted(repository.list_artifacts(pending.pop() or None), key=lambda item: item.path):
                if item.is_dir:
                    pending.append(item.path)
                else:
                    yield item.path


def fetch(owner: Owner, path: str, folder: Path) -> Path:
    """Return an artifact as a file of this machine, downloaded to `folder` if it is elsewhere."""
    with mlflow_errors():
        return Path(_repository(owner).download_artifacts(path, str(folder)))


def delete(owner: Owner, path: str) -> None:
    """Delete an artifact for good."""
    with mlflow_errors():
        _repository(owner).delete_artifacts(path)


def replace_tag(owner: Owner, name: str, value: str) -> None:
    """Replace a tag of a run."""
    with mlflow_errors():
        client().set_tag(owner.id, name, value)


def _repository(owner: Owner) -> Any:
    from mlflow.store.artifact.artifact_repository_registry import get_artifact_repository

    with mlflow_errors():
        return get_artifact_repository(owner.location, tracking_uri=tracking_uri())


def _pages(search: Any, experiments: list[str], **options: Any) -> Iterator[Any]:
    token = None
    while True:
        page = search(experiments, max_results=PAGE, page_token=token, **options)
        yield from page
        token = page.token
        if not token:
            return
