"""The MLflow store, a client for it, and the translation of its errors."""

import logging
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from facenet.errors import FaceNetError
from tasks.tracking.provenance import workspace

if TYPE_CHECKING:
    from mlflow import MlflowClient

Found = TypeVar("Found")
SQLITE = b"SQLite format 3\0"  # the first bytes of a database; a new one is empty
CURE = (
    "Restore it from a copy, or move it away: a new store is then created, and `dvc repro` registers again."
)


class TrackingFailed(FaceNetError):
    """The tracking server cannot be reached, or rejected a request."""


def tracking_uri() -> str:
    """Return MLFLOW_TRACKING_URI, or the SQLite store in the root of the workspace."""
    return os.environ.get("MLFLOW_TRACKING_URI") or f"sqlite:///{workspace() / 'mlflow.db'}"


def public_uri() -> str:
    """Return the store's URI for display: without user, password, query, or local folders."""
    scheme, _, rest = tracking_uri().partition("://")
    place = rest.rpartition("@")[2].partition("?")[0]
    return f"{scheme}:///{Path(place).name}" if place.startswith("/") else f"{scheme}://{place}"


def check_database() -> None:
    """Check that the store, if it is a SQLite file, is a database: MLflow answers others with a traceback.

    Raises:
        TrackingFailed: the file is a folder, another kind of file, or cannot be read.
    """
    scheme, _, place = tracking_uri().partition(":///")
    path = Path(place.partition("?")[0])
    if scheme != "sqlite" or not place or not path.exists():
        return
    try:
        with path.open("rb") as file:
            header = file.read(len(SQLITE))
    except OSError as error:
        raise TrackingFailed(f"The MLflow store {path} cannot be read: {error.strerror}. {CURE}") from error
    if header and header != SQLITE:
        raise TrackingFailed(f"The MLflow store {path} is not an SQLite database. {CURE}")


def client() -> "MlflowClient":
    """Return a client for the store; MLflow's own logging is reduced to warnings.

    Raises:
        TrackingFailed: see `check_database`.
    """
    os.environ.setdefault("MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR", "false")
    os.environ.setdefault("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "4")  # fail after half a minute, not four
    check_database()
    import mlflow

    for name in ("mlflow", "alembic"):
        logging.getLogger(name).setLevel(logging.WARNING)
    uri = tracking_uri()
    return mlflow.MlflowClient(tracking_uri=uri, registry_uri=os.environ.get("MLFLOW_REGISTRY_URI", uri))


@contextmanager
def mlflow_errors() -> Iterator[None]:
    """Raise errors of MLflow as TrackingFailed, naming the store.

    Raises:
        TrackingFailed: instead of any MlflowException.
    """
    from mlflow.exceptions import MlflowException

    try:
        yield
    except MlflowException as error:
        raise TrackingFailed(
            f"MLflow at {public_uri()} says: {error}. Start the server named in MLFLOW_TRACKING_URI, or "
            "unset the variable to use the workspace's SQLite store."
        ) from error


def look_up(call: Callable[["MlflowClient"], Found]) -> Found | None:
    """Return the result of `call` on the store, or None if the object does not exist.

    Raises:
        TrackingFailed: on any other error.
    """
    from mlflow.exceptions import MlflowException

    with mlflow_errors():
        try:
            return call(client())
        except MlflowException as error:
            if error.error_code == "RESOURCE_DOES_NOT_EXIST":
                return None
            raise
