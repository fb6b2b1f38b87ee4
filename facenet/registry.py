"""Models in an MLflow registry: which version a name means, and its files. MLflow is imported on use."""

import logging
import os
import re
import tempfile
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
REPORTS, REPORT = "reports", "report.html"  # artifacts of a run: the folder, and the page in it
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


@dataclass(frozen=True)
class PublishedReports:
    """The report pages of the run of a version.

    digest: of the registered model, "" if its version does not state it. run_id: "" for a version without a
    run. pages: HTML, that of exactly this version first; the run may have another version's as well.
    """

    digest: str
    run_id: str
    pages: tuple[bytes, ...]


class ReportTooLarge(SourceInvalid):
    """A page that is larger than the limit."""


def report_folder(number: int) -> str:
    """Return the artifact folder with the report of a version; REPORTS has the latest one of the run."""
    return f"{REPORTS}/version-{number}"


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


def read_reports(version: RegisteredVersion, *, max_bytes: int) -> PublishedReports:
    """Return the report pages among the artifacts of the run of a version.

    Raises:
        SourceInvalid: MLflow is not installed, or its store cannot be used.
        ReportTooLarge: a page is larger than max_bytes.
    """
    with _mlflow_errors() as client:
        found = client.get_model_version(version.model, str(version.number))
        digest, run_id = found.tags.get("digest", ""), found.run_id or ""
        folders = (report_folder(version.number), REPORTS) if run_id else ()
        pages = [_read_artifact(client, run_id, folder, max_bytes) for folder in folders]
    return PublishedReports(digest, run_id, tuple(page for page in pages if page is not None))


def _read_artifact(client: "MlflowClient", run_id: str, folder: str, max_bytes: int) -> bytes | None:
    """Return the report in an artifact folder of a run, None if there is none."""
    path = f"{folder}/{REPORT}"
    sizes = {file.path: file.file_size or 0 for file in client.list_artifacts(run_id, folder)}
    if path not in sizes:
        return None
    if sizes[path] > max_bytes:
        raise ReportTooLarge(
            f"{path} of the run {run_id} has {sizes[path]:,} bytes, more than the limit of {max_bytes:,}."
        )
    with tempfile.TemporaryDirectory(prefix="facenet-report-") as scratch:
        return Path(client.download_artifacts(run_id, path, scratch)).read_bytes()


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
