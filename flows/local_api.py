"""A Prefect API for a run that has no server: quiet, patient, and with its history inside the workspace."""

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

FOLDER = Path(".prefect")
STARTUP_SECONDS = (
    120  # the first start lays out the database, on a busy machine for longer than Prefect's 20 s
)


@contextmanager
def local_api() -> Iterator[None]:
    """Let flows run without a server; do nothing when Prefect knows of one.

    The user's own database stays untouched: another version of Prefect may have laid it out. What the
    environment or a profile of Prefect says goes first. SIGTERM leaves through the exit handlers, which stop
    the temporary server.
    """
    if get_current_settings().api.url:
        yield
        return
    FOLDER.mkdir(exist_ok=True)
    defaults = {
        PREFECT_SERVER_ALLOW_EPHEMERAL_MODE: True,
        PREFECT_SERVER_EPHEMERAL_STARTUP_TIMEOUT_SECONDS: STARTUP_SECONDS,
        PREFECT_API_DATABASE_CONNECTION_URL: f"sqlite+aiosqlite:///{FOLDER.absolute() / 'prefect.db'}",
    }
    logging.getLogger("prefect").addFilter(lambda record: "temporary server" not in record.getMessage())
    signal.signal(signal.SIGTERM, lambda number, _: sys.exit(128 + number))
    with temporary_settings(set_defaults=defaults):
        yield
