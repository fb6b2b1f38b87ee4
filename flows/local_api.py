"""A temporary Prefect API for runs without a server, with its database in the workspace."""

import logging
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from prefect.settings import (
    PREFECT_API_DATABASE_CONNECTION_URL,
    PREFECT_SERVER_ALLOW_EPHEMERAL_MODE,
    PREFECT_SERVER_EPHEMERAL_STARTUP_TIMEOUT_SECONDS,
    get_current_settings,
    temporary_settings,
)

from flows.workspace import WorkspaceInvalid, check_database
from tasks.tracking.store import sqlite_uri

FOLDER = Path(".prefect")
STARTUP_SECONDS = 120  # the first start creates the database, which can exceed Prefect's default of 20 s


@contextmanager
def local_api() -> Iterator[None]:
    """Let flows run without a server; do nothing if Prefect has a server configured.

    The user's own Prefect database is not touched, since another version of Prefect may have created it.
    Settings from the environment or a Prefect profile take precedence. SIGTERM exits through the exit
    handlers, which stop the temporary server.

    Raises:
        WorkspaceInvalid: the folder or the database of the temporary server cannot be used.
    """
    if get_current_settings().api.url:
        yield
        return
    try:
        FOLDER.mkdir(exist_ok=True)
    except OSError as error:
        raise WorkspaceInvalid(
            f"{FOLDER.absolute()}, which has the history of flow runs, cannot be created: {error}. "
            "The workspace has to be writable for this user; or set PREFECT_API_URL to a Prefect server."
        ) from error
    check_database(FOLDER / "prefect.db", "the history of flow runs")
    database = sqlite_uri(FOLDER.absolute() / "prefect.db")
    defaults = {
        PREFECT_SERVER_ALLOW_EPHEMERAL_MODE: True,
        PREFECT_SERVER_EPHEMERAL_STARTUP_TIMEOUT_SECONDS: STARTUP_SECONDS,
        PREFECT_API_DATABASE_CONNECTION_URL: database.replace("sqlite", "sqlite+aiosqlite", 1),
    }
    logging.getLogger("prefect").addFilter(lambda record: "temporary server" not in record.getMessage())
    signal.signal(signal.SIGTERM, lambda number, _: sys.exit(128 + number))
    with temporary_settings(set_defaults=defaults):
        yield
