"""Models in an MLflow registry: which version a name means, and its files. MLflow is imported on use."""

import logging
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote

from facenet.errors import SourceInvalid

if TYPE_CHECKING:
    from mlflow import MlflowClient

SCHEME = "models:/"
DATABASE = Path("mlflow.db")  # the pipeline's store in the working folder
FILES = "artifacts"  # folder of a logged model with weights, card, detector and calibration
_URI = re.compile(r"models:/(?P<model>[^/@]+)(?:@(?P<alias>[^/@]+)|/(?P<number>[1-9]\d*))")
_PASSWORD = re.compile(r"(?<=//)[^/@\s]+@")  # user and password of a URL in a message


@dataclass(frozen=True)
class RegisteredVersion:
    """A version of a registered model. alias: the one that it was asked for by, if any."""

    model: str
    number: int
    alias: str | None = None

    def __str__(self) -> str:
        return f"{SCHEME}{self.model}/{self.number}" + (f" ({self.alias})" if self.alias else "")


def store_uri() -> str | None:
    """Return MLFLOW_TRACKING_URI, or the SQLite store in the working folder, or None without either."""
    if uri := os.environ.get("MLFLOW_TRACKING_URI"):
        return uri
    path = DATABASE.absolute()
    if not path.exists():
        return None
    if "?" in str(path):  # SQLAlchemy takes what follows for options
        return f"sqlite+pysqlite:///file:{quote(str(path))}?uri=true"
    return f"sqlite:///{path}"


def parse_uri(uri: str) -> tuple[str, str | None, int]:
    """Return name, alias and number of models:/NAME@ALIAS (number 0) or models:/NAME/VERSION (alias None).

    Raises:
        SourceInvalid: the URI has another form.
    """
    parts = _URI.fullmatch(uri)
    if parts is None:
        raise SourceInvalid(f"{uri!r} is not a model: expected models:/NAME@ALIAS or models:/NAME/VERSION.")
    return parts["model"], parts["alias"], int(parts["number"] or 0)


def find_version(uri: str) -> RegisteredVersion | None:
    """Return the version that models:/NAME@ALIAS or models:/NAME/VERSION means, None if there is none.

    Raises:
        SourceInvalid: the URI has another form, MLflow is not installed, or its store cannot be used.
    """
    name, alias, number = parse_uri(uri)
    with _mlflow_errors() as client:
        from mlflow.exceptions import MlflowException

        try:
            if alias:
                found = client.get_model_version_by_alias(name, alias)
            else:
                found = client.get_model_version(name, str(number))
        except MlflowException as error:
            # An alias that a model does not have is INVALID_PARAMETER_VALUE in SQL stores.
            if error.error_code in ("RESOURCE_DOES_NOT_EXIST", "INVALID_PARAMETER_VALUE"):
                return None
            raise
    return RegisteredVersion(name, int(found.version), alias)


def download_version(version: RegisteredVersion, folder: Path) -> Path:
    """Download the files of a version below `folder`, and return the folder with weights and card.

    Raises:
        SourceInvalid: MLflow is not installed, or its store cannot be used.
    """
    with _mlflow_errors() as client:
        from mlflow.artifacts import download_artifacts

        source = client.get_model_version(version.model, str(version.number)).source or ""
        place = client.get_logged_model(source.removeprefix(SCHEME)).artifact_location
        return Path(download_artifacts(f"{place}/{FILES}", dst_path=str(folder), tracking_uri=store_uri()))


@contextmanager
def _mlflow_errors() -> Iterator["MlflowClient"]:
    """Yield a client for the store, and raise its errors as SourceInvalid."""
    uri = store_uri()
    if uri is None:
        raise SourceInvalid(
            f"There is no model registry: neither MLFLOW_TRACKING_URI nor {DATABASE.absolute()}. Set the "
            "variable, or run `make run` in the project."
        )
    os.environ.setdefault("MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR", "false")
    os.environ.setdefault("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "4")  # fail after half a minute, not four
    try:
        import mlflow
        from mlflow.exceptions import MlflowException
        from requests import RequestException
        from sqlalchemy.exc import SQLAlchemyError
    except ImportError as error:
        raise SourceInvalid(
            f"Models of a registry need MLflow, which is not installed ({error}). Run `pip install "
            "'facenet-pipeline[pipeline]'`, or name a folder with a model."
        ) from error
    for name in ("mlflow", "alembic"):
        logging.getLogger(name).setLevel(logging.WARNING)
    try:
        yield mlflow.MlflowClient(uri, os.environ.get("MLFLOW_REGISTRY_URI", uri))
    except (MlflowException, RequestException, SQLAlchemyError) as error:
        said = _PASSWORD.sub("", str(error).partition("\n")[0])
        raise SourceInvalid(
            f"The registry at {_PASSWORD.sub('', uri)} says: {said}. Check MLFLOW_TRACKING_URI."
        ) from error
