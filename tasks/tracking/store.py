"""Which MLflow store, a client of it, and what its errors become."""

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


class TrackingFailed(FaceNetError):
    """The tracking server cannot be reached or refuses what it was told."""


def tracking_uri() -> str:
    """Return MLFLOW_TRACKING_URI, or the SQLite store in the root of the workspace."""
    return os.environ.get("MLFLOW_TRACKING_URI") or f"sqlite:///{workspace() / 'mlflow.db'}"


def public_uri() -> str:
    """Return the store as it may be shown: without user, password, query, or folders of this machine."""
    scheme, _, rest = tracking_uri().partition("://")
    place = rest.rpartition("@")[2].partition("?")[0]
    return f"{scheme}:///{Path(place).name}" if place.startswith("/") else f"{scheme}://{place}"


def client() -> "MlflowClient":
    """Return a client of the store, with MLflow's own chatter turned down to warnings."""
    os.environ.setdefault("MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR", "false")
    os.environ.setdefault("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "4")  # half a minute, not four, until the error
    import mlflow

    for name in ("mlflow", "alembic"):
        logging.getLogger(name).setLevel(logging.WARNING)
    uri = tracking_uri()
    return mlflow.MlflowClient(tracking_uri=uri, registry_uri=os.environ.get("MLFLOW_REGISTRY_URI", uri))


@contextmanager
def told() -> Iterator[None]:
    """Turn an error of MLflow into ours, with the store it came from.

    Raises:
        TrackingFailed: instead of any MlflowException.
    """
    from mlflow.exceptions import MlflowException

    try:
        yield
    except MlflowException as error:
        raise TrackingFailed(
            f"MLflow at {public_uri()} says: {error}. See MLFLOW_TRACKING_URI: start the server, or unset it "
            "to use the SQLite store of the workspace."
        ) from error


def look_up(call: Callable[["MlflowClient"], Found]) -> Found | None:
    """Return what `call` gets from the store, or None if the store has no such thing.

    Raises:
        TrackingFailed: on any other error.
    """
    from mlflow.exceptions import MlflowException

    with told():
        try:
            return call(client())
        except MlflowException as error:
            if error.error_code == "RESOURCE_DOES_NOT_EXIST":
                return None
            raise
