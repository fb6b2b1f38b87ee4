"""The MLflow store, a client for it, and the translation of its errors."""

import logging
import os
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar
from urllib.parse import quote, unquote

from facenet.errors import FaceNetError
from tasks.redaction import redact
from tasks.tracking.preloading import import_mlflow
from tasks.tracking.provenance import workspace

if TYPE_CHECKING:
    from mlflow import MlflowClient

Found = TypeVar("Found")
_DATABASE = re.compile(r"\((?:sqlite3|psycopg2)\.[\w.]+\) ([^\n]+)")  # in what SQLAlchemy says around it
SQLITE = b"SQLite format 3\0"  # the first bytes of a database; a new one is empty
FIX = "Restore it from a copy, or move it away: a new store is then created, and `dvc repro` registers again."


class TrackingFailed(FaceNetError):
    """The tracking server cannot be reached, or rejected a request."""


def tracking_uri() -> str:
    """Return MLFLOW_TRACKING_URI, or the SQLite store in the root of the workspace."""
    return os.environ.get("MLFLOW_TRACKING_URI") or sqlite_uri(workspace() / "mlflow.db")


def sqlite_uri(path: Path, driver: str = "") -> str:
    """Return the SQLAlchemy URI of an SQLite file, given as an absolute path, for a driver.

    SQLAlchemy takes everything after a question mark as options; SQLite's own URI escapes it. With a driver
    in the URI, MLflow does not take it for a path, whose folder it would create.
    """
    if "?" in str(path):
        return f"sqlite+{driver or 'pysqlite'}:///file:{quote(str(path))}?uri=true"
    return f"sqlite{'+' + driver if driver else ''}:///{path}"


def sqlite_path(uri: str) -> Path | None:
    """Return the file of an SQLite store, None for a store of another kind."""
    scheme, _, place = uri.partition(":///")
    if not scheme.startswith("sqlite") or not place:
        return None
    path, _, options = place.partition("?")
    return Path(unquote(path.removeprefix("file:"))) if "uri=true" in options else Path(path)


def public_uri() -> str:
    """Return the store's URI for display: without user, password, query, or local folders."""
    uri = tracking_uri()
    if path := sqlite_path(uri):
        return f"sqlite:///{path.name}"
    scheme, _, rest = uri.partition("://")
    place = rest.rpartition("@")[2].partition("?")[0]
    return f"{scheme}:///{Path(place).name}" if place.startswith("/") else f"{scheme}://{place}"


def check_database() -> None:
    """Check that the store, if it is a SQLite file, is a database: MLflow answers others with a traceback.

    Raises:
        TrackingFailed: the file is a folder, another kind of file, or cannot be read.
    """
    path = sqlite_path(tracking_uri())
    if path is None or not path.exists():
        return
    try:
        if is_sqlite(path):
            return
    except OSError as error:
        raise TrackingFailed(f"The MLflow store {path} cannot be read: {error.strerror}. {FIX}") from error
    raise TrackingFailed(f"The MLflow store {path} is not an SQLite database. {FIX}")


def is_sqlite(path: Path) -> bool:
    """Return whether a file is an SQLite database; an empty file is an empty one.

    Raises:
        OSError: it cannot be read.
    """
    with path.open("rb") as file:
        return file.read(len(SQLITE)) in (b"", SQLITE)


def client() -> "MlflowClient":
    """Return a client for the store, which becomes MLflow's default; its logging is reduced to warnings.

    Raises:
        TrackingFailed: see `check_database`.
    """
    os.environ.setdefault("MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR", "false")
    os.environ.setdefault("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "4")  # fail after half a minute, not four
    check_database()
    import_mlflow()
    import mlflow

    for name in ("mlflow", "alembic"):
        logging.getLogger(name).setLevel(logging.WARNING)
    # A full disk or a lost connection: `mlflow_errors` reports it, without this traceback of many pages.
    logging.getLogger("mlflow.store.db.utils").setLevel(logging.CRITICAL)
    uri = tracking_uri()
    registry = os.environ.get("MLFLOW_REGISTRY_URI", uri)
    _make_default(uri, registry)
    return mlflow.MlflowClient(tracking_uri=uri, registry_uri=registry)


def _make_default(uri: str, registry: str) -> None:
    """Make MLflow use the same store wherever it takes its default.

    The registry opens logged models in the default store, and saving a model does as well. Unset, that is a
    file whose path MLflow escapes: in a workspace with a blank in its path a second store would appear
    elsewhere. The environment stays as it is, as it means the choice of the user.
    """
    import mlflow

    names = ("MLFLOW_TRACKING_URI", "MLFLOW_REGISTRY_URI")
    before = {name: os.environ.get(name) for name in names}
    mlflow.set_tracking_uri(uri)
    mlflow.set_registry_uri(registry)
    for name, value in before.items():
        if value is None:
            os.environ.pop(name, None)
        else:
            os.environ[name] = value


@contextmanager
def mlflow_errors() -> Iterator[None]:
    """Raise errors of MLflow as TrackingFailed, naming the store.

    Raises:
        TrackingFailed: instead of any MlflowException, of what requests raises when a file is logged, and of
            what SQLAlchemy raises when a database cannot be opened.
    """
    import_mlflow()
    from mlflow.exceptions import MlflowException
    from requests import RequestException
    from sqlalchemy.exc import SQLAlchemyError

    try:
        yield
    except (MlflowException, RequestException, SQLAlchemyError) as error:
        said = _said(error)
        raise TrackingFailed(f"MLflow at {public_uri()} says: {said}. {_advice(said)}") from error


def _advice(said: str) -> str:
    if re.search(r"disk is full|No space left", said):
        return "Free some space there and run the command again."
    return (
        "Start the server named in MLFLOW_TRACKING_URI, or unset the variable to use the workspace's SQLite "
        "store."
    )


def _said(error: Exception) -> str:
    """Return the message of an error; of a database's, without the statement and its parameters."""
    found = _DATABASE.search(str(error))
    return redact(found[1].strip() if found else str(error))


def look_up(call: Callable[["MlflowClient"], Found]) -> Found | None:
    """Return the result of `call` on the store, or None if the object does not exist.

    Raises:
        TrackingFailed: on any other error.
    """
    import_mlflow()
    from mlflow.exceptions import MlflowException

    with mlflow_errors():
        try:
            return call(client())
        except MlflowException as error:
            if error.error_code == "RESOURCE_DOES_NOT_EXIST":
                return None
            raise
