"""The model registry: versions of a model, their tags and aliases."""

import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from tasks.tracking import rest
from tasks.tracking.runs import Run
from tasks.tracking.store import client, look_up, mlflow_errors, tracking_uri

METRICS = "evaluation/"  # begins the names of the metrics on the run and on the logged model
FILES = "artifacts"  # folder of a logged model with the files given to pyfunc.save_model
CHALLENGER, CHAMPION, PREVIOUS = "challenger", "champion", "previous-champion"


@dataclass(frozen=True)
class Version:
    """One version of a registered model.

    metrics: of its evaluation, by the names of reports/evaluation.json, as stored with the logged model.
    """

    model: str
    number: int
    run_id: str
    tags: dict[str, str]
    aliases: tuple[str, ...]
    metrics: dict[str, float] = field(default_factory=dict)
    description: str = ""

    def metric(self, name: str) -> float | None:
        """Return a metric of its evaluation, or None; versions made before metrics have them as tags."""
        if name in self.metrics:
            return self.metrics[name]
        try:
            return float(self.tags[name])
        except (KeyError, ValueError):
            return None


def aliases(model: str) -> dict[str, int]:
    """Return the version number of each alias, sorted by name; empty if the model is not registered."""
    found = look_up(lambda mlflow: mlflow.get_registered_model(model).aliases)
    return {alias: int(number) for alias, number in sorted((found or {}).items())}


def get_version(model: str, number: int) -> Version | None:
    """Return a version by its number, or None if this server does not have it."""
    found = look_up(lambda mlflow: mlflow.get_model_version(model, str(number)))
    if found is None:
        return None
    names = tuple(alias for alias, holder in aliases(model).items() if holder == number)
    logged = look_up(lambda mlflow: mlflow.get_logged_model(_logged_model(found.source)))
    metrics = {
        metric.key.removeprefix(METRICS): float(metric.value)
        for metric in sorted((logged and logged.metrics) or [], key=lambda metric: metric.timestamp)
        if metric.key.startswith(METRICS)
    }
    return Version(
        model, number, found.run_id or "", dict(found.tags), names, metrics, found.description or ""
    )


def standing(model: str, number: int) -> tuple[dict[str, str], tuple[str, ...]] | None:
    """Return tags and aliases of a version, or None if this server does not have it.

    A server is asked by its REST API, in milliseconds; where that does not do, MLflow's client asks.
    """
    try:
        stated = rest.model_version(model, number)
    except rest.NoAnswer:
        version = get_version(model, number)
        return None if version is None else (version.tags, version.aliases)
    if stated is None:
        return None
    return {tag["key"]: tag["value"] for tag in stated.get("tags", ())}, tuple(stated.get("aliases", ()))


def versions(model: str) -> list[Version]:
    """Return all versions of a model, oldest first."""
    with mlflow_errors():
        found = client().search_model_versions(f"name = '{model}'")
    numbers = sorted(int(version.version) for version in found if version.status == "READY")
    return [version for number in numbers if (version := get_version(model, number)) is not None]


def aliased_version(model: str, alias: str) -> Version | None:
    """Return the version with an alias, or None."""
    number = aliases(model).get(alias)
    return None if number is None else get_version(model, number)


def find_version(model: str, tag: str, value: str) -> Version | None:
    """Return the newest version with that tag, or None."""
    with mlflow_errors():
        found = client().search_model_versions(f"name = '{model}' and tags.`{tag}` = '{value}'")
    numbers = [int(version.version) for version in found if version.status == "READY"]
    return get_version(model, max(numbers)) if numbers else None


def first_version(model: str, tag: str, value: str) -> int | None:
    """Return the number of the oldest version with that tag, or None."""
    with mlflow_errors():
        found = client().search_model_versions(f"name = '{model}' and tags.`{tag}` = '{value}'")
    return min((int(version.version) for version in found), default=None)


def set_alias(model: str, alias: str, number: int) -> None:
    """Point an alias at a version, moving it from any other version."""
    with mlflow_errors():
        client().set_registered_model_alias(model, alias, str(number))


def delete_alias(model: str, alias: str) -> None:
    """Delete an alias; do nothing if it does not exist."""
    with mlflow_errors():
        client().delete_registered_model_alias(model, alias)


def tag_version(model: str, number: int, tags: Mapping[str, str]) -> None:
    """Set tags of a version, replacing existing values."""
    with mlflow_errors():
        mlflow = client()
        for name, value in tags.items():
            mlflow.set_model_version_tag(model, str(number), name, value)


def describe_version(version: Version, description: str) -> None:
    """Set the description of a version, in Markdown."""
    with mlflow_errors():
        client().update_model_version(version.model, str(version.number), description)


def log_version_metrics(version: Version, metrics: Mapping[str, float]) -> None:
    """Log those metrics of an evaluation that the version does not have yet with this value."""
    new = {name: value for name, value in metrics.items() if version.metrics.get(name) != value}
    if not new:
        return
    with mlflow_errors():
        source = client().get_model_version(version.model, str(version.number)).source
    Run(version.run_id).log_metrics(_prefixed(new), model_id=_logged_model(source))


def location(version: Version) -> str:
    """Return the URI of the folder with a version's files, which are there as long as nobody deletes them."""
    with mlflow_errors():
        mlflow = client()
        source = mlflow.get_model_version(version.model, str(version.number)).source
        return str(mlflow.get_logged_model(_logged_model(source)).artifact_location)


def download_version(version: Version, folder: Path) -> Path:
    """Download the files of a version's model to `folder`, and return the path of weights and card in it."""
    return download(f"{location(version)}/{FILES}", folder)


def download(uri: str, folder: Path) -> Path:
    """Download a folder of artifacts to `folder`, and return its path there."""
    from mlflow.artifacts import download_artifacts

    with mlflow_errors():
        return Path(download_artifacts(uri, dst_path=str(folder), tracking_uri=tracking_uri()))


def create_version(
    model: str,
    run: Run,
    *,
    save: Callable[[Path, str], None],
    tags: Mapping[str, str],
    metrics: Mapping[str, float],
) -> Version:
    """Log a model with the metrics of its evaluation to a run, and register it as the next version.

    save: called with a folder to create and the id of the logged model; writes an MLflow model there.
    """
    with mlflow_errors():
        mlflow = client()
        experiment = mlflow.get_run(run.run_id).info.experiment_id
        logged = mlflow.create_logged_model(experiment, name=model, source_run_id=run.run_id)
        try:
            with tempfile.TemporaryDirectory() as temporary:
                folder = Path(temporary) / model
                save(folder, logged.model_id)
                mlflow.log_model_artifacts(logged.model_id, str(folder))
        except BaseException:
            mlflow.finalize_logged_model(logged.model_id, "FAILED")
            raise
        mlflow.finalize_logged_model(logged.model_id, "READY")
        run.log_metrics(_prefixed(metrics), model_id=logged.model_id)
        if look_up(lambda mlflow: mlflow.get_registered_model(model)) is None:
            mlflow.create_registered_model(model)
        made = mlflow.create_model_version(
            model,
            source=f"models:/{logged.model_id}",
            run_id=run.run_id,
            tags=dict(tags),
            model_id=logged.model_id,
        )
    return Version(model, int(made.version), run.run_id, dict(tags), (), dict(metrics))


def _prefixed(metrics: Mapping[str, float]) -> dict[str, float]:
    return {f"{METRICS}{name}": value for name, value in metrics.items()}


def _logged_model(source: str) -> str:
    return source.removeprefix("models:/")
