"""A temporary Prefect API for runs without a server, with its database in the workspace."""

import logging
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from prefect.settings import (
    PREFECT_API_DATABASE_CONNECTION_URL,
    PREFECT_API_URL,
    PREFECT_FLOWS_HEARTBEAT_FREQUENCY,
    PREFECT_SERVER_ALLOW_EPHEMERAL_MODE,
    PREFECT_SERVER_EPHEMERAL_STARTUP_TIMEOUT_SECONDS,
    get_current_settings,
    temporary_settings,
)

from flows.servers import require_mlflow, require_prefect
from flows.workspace import WorkspaceInvalid
from tasks.tracking.store import is_sqlite, sqlite_uri

HEARTBEAT_SECONDS = 30  # a run without one for a while is marked as crashed: see flows/automations.py
DATABASE = Path(".prefect/prefect.db")
STARTUP_SECONDS = 120  # the first start creates the database, which can exceed Prefect's default of 20 s


@contextmanager
def local_api(*, local: bool = False) -> Iterator[None]:
    """Let flows run without a Prefect server; if one is configured, check it, and send heartbeats.

    The user's own Prefect database is not touched, since another version of Prefect may have created it.
    Settings from the environment or a Prefect profile take precedence. SIGTERM exits through the exit
    handlers, which stop the temporary server. With `local`, a configured server is not used.

    Raises:
        ServerMissing: the configured server does not answer.
        TrackingFailed: the MLflow server does not answer.
        WorkspaceInvalid: the folder or the database of the temporary server cannot be used.
    """
    require_mlflow()
    url = get_current_settings().api.url
    if url and not local:
        require_prefect(url)
        with temporary_settings(set_defaults={PREFECT_FLOWS_HEARTBEAT_FREQUENCY: HEARTBEAT_SECONDS}):
            yield
        return
    _check()
    defaults = {
        PREFECT_SERVER_ALLOW_EPHEMERAL_MODE: True,
        PREFECT_SERVER_EPHEMERAL_STARTUP_TIMEOUT_SECONDS: STARTUP_SECONDS,
        PREFECT_API_DATABASE_CONNECTION_URL: sqlite_uri(DATABASE.absolute(), "aiosqlite"),
    }
    logging.getLogger("prefect").addFilter(lambda record: "temporary server" not in record.getMessage())
    signal.signal(signal.SIGTERM, lambda number, _: sys.exit(128 + number))
    with temporary_settings(restore_defaults={PREFECT_API_URL}, set_defaults=defaults):
        yield


def _check() -> None:
    """Check the database first: with a damaged one the temporary server would not answer for two minutes."""
    try:
        DATABASE.parent.mkdir(exist_ok=True)
        damaged = DATABASE.exists() and not is_sqlite(DATABASE)
    except OSError as error:
        raise WorkspaceInvalid(
            f"{DATABASE.absolute()}, the history of flow runs, cannot be used: {error}. "
            "The workspace has to be writable for this user; or set PREFECT_API_URL to a Prefect server."
        ) from error
    if damaged:
        raise WorkspaceInvalid(
            f"{DATABASE.absolute()}, the history of flow runs, is not an SQLite database. "
            "Restore it, or delete it: a new one is then created."
        )
