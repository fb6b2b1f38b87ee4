"""The stores and servers that the environment names, and the ports of those that `make up` starts."""

import os
import re
import socket
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import urlsplit

from commands.checks.finding import Finding, ok, wrong
from commands.checks.server_versions import compare_versions, mlflow_version, prefect_version
from commands.checks.workspace import is_workspace
from facenet.errors import FaceNetError
from tasks.redaction import redact

SECONDS = 3.0
DASK = "FACENET_DASK_SCHEDULER"
REVISION = re.compile(r"^(down_)?revision(?:: [^=]+)? = (?:[\"'](\w+)[\"']|None)", re.MULTILINE)


def check_mlflow() -> Iterator[Finding]:
    """Check the MLflow store: a server answers and has this version, a file is a database of this version."""
    from flows.servers import require_mlflow
    from tasks.tracking import public_uri, tracking_uri
    from tasks.tracking.store import check_database, sqlite_path

    path = sqlite_path(tracking_uri())
    try:
        check_database()
        require_mlflow(patience=0)
    except FaceNetError as error:
        fix = "make up, or unset MLFLOW_TRACKING_URI" if path is None else f"mv '{path}' '{path}.damaged'"
        yield wrong("mlflow", str(error), fix)
        return
    if path is not None and path.exists() and (old := outdated(path)):
        message = f"{path} has the schema {old}, which this MLflow does not read"
        yield wrong("mlflow", message, f"cp '{path}' '{path}.old' && mlflow db upgrade sqlite:///{path}")
        return
    uri = tracking_uri()
    if path is None and uri.startswith(("http://", "https://")):
        yield from compare_versions("mlflow", "mlflow", public_uri(), mlflow_version(uri))
    elif path is None or path.exists() or is_workspace():
        yield ok("mlflow", f"{public_uri()} answers" if path is None else _store(path))


def _store(path: Path) -> str:
    return f"{path.name} is the store" if path.exists() else f"{path.name} will be the store"


def outdated(path: Path) -> str:
    """Return the schema of an MLflow database if it is not that of the installed MLflow, else ""."""
    import sqlite3
    from contextlib import closing

    with closing(sqlite3.connect(path)) as database:
        try:
            rows = database.execute("SELECT version_num FROM alembic_version").fetchall()
        except sqlite3.OperationalError:  # no such table: MLflow has not used it yet
            return ""
    present = str(rows[0][0]) if rows else ""
    return "" if not present or present in _heads() else present


def _heads() -> set[str]:
    """Return the revisions of the installed MLflow that no other one follows; without importing MLflow."""
    spec = find_spec("mlflow")
    assert spec is not None
    assert spec.origin is not None
    folder = Path(spec.origin).parent / "store" / "db_migrations" / "versions"
    found = [REVISION.findall(path.read_text()) for path in sorted(folder.glob("*.py"))]
    revisions = [(down, name) for entries in found for down, name in entries if name]
    return {name for down, name in revisions if not down} - {name for down, name in revisions if down}


def check_prefect() -> Iterator[Finding]:
    """Check that the Prefect server of PREFECT_API_URL answers and has this version, if there is one."""
    url = os.environ.get("PREFECT_API_URL")
    if not url:
        return
    from flows.servers import require_prefect

    try:
        require_prefect(url, patience=0)
    except FaceNetError as error:
        yield wrong("prefect", str(error), "make up, or unset PREFECT_API_URL")
    else:
        place = urlsplit(url).hostname or redact(url)
        yield from compare_versions("prefect", "prefect", place, prefect_version(url))


def check_dask() -> Iterator[Finding]:
    """Check that something listens at the scheduler of FACENET_DASK_SCHEDULER, if there is one."""
    address = os.environ.get(DASK)
    if not address:
        return
    fix = f"dask scheduler --host 0.0.0.0 --port 8786, or unset {DASK}"
    try:
        parts = urlsplit(address)
        with socket.create_connection((parts.hostname or "", parts.port or 0), timeout=SECONDS):
            yield ok("dask", f"{address} answers")
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        yield wrong("dask", f"{address} ({DASK}) does not answer: {reason}", fix)


def check_services() -> Iterator[Finding]:
    """Check the servers of `make up` if they were started before: they run, or their ports are free."""
    from operations.errors import PortTaken
    from operations.folder import Folder
    from operations.launch import stack_of
    from operations.leftovers import leftovers
    from operations.ports import check_free
    from operations.status import rows

    folder = Folder.chosen()
    if not folder.settings.exists():
        return
    stack = stack_of(folder)
    found = rows(stack)
    if found:
        sick = [f"{row.name}: {row.health}" for row in found if not row.good]
        if sick:
            yield wrong("services", "; ".join(sick), "make down && make up")
        else:
            yield ok("services", f"the {len(found)} servers of {folder.path} are healthy")
    elif left := leftovers(folder):
        yield wrong("services", f"{len(left)} processes run without their supervisor", "make down")
    else:
        try:
            check_free(stack.settings)
        except PortTaken as error:
            yield wrong(
                "services", str(error), 'make up ARGS="--OPTION N" with another port, or end that program'
            )
        else:
            yield ok("services", f"the servers of {folder.path} are down, and their ports are free")
