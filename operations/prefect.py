"""The Prefect server and the worker."""

import socket

from operations.stack import Stack, database_uri, prefect_auth, python_module

POOL = "facenet"
LEASES = "prefect.server.concurrency.lease_storage.filesystem"


def server_command(stack: Stack) -> list[str]:
    """Return the command of the server."""
    host, port = stack.settings.listen, str(stack.settings.prefect_port)
    return python_module("prefect", "server", "start", "--host", host, "--port", port)


def server_environment(stack: Stack) -> dict[str, str]:
    """Return the variables of the server, with the database's password and its own."""
    settings = stack.settings
    driver = "asyncpg" if settings.database == "postgresql" else "aiosqlite"
    found = {
        "PREFECT_API_URL": settings.prefect_api,
        "PREFECT_UI_API_URL": f"http://{settings.hostname}:{settings.prefect_port}/api",  # for the browser
        "PREFECT_SERVER_DATABASE_CONNECTION_URL": database_uri(stack, "prefect", driver),
        # The pages are copied there, by default into the installed package, which may be read-only.
        "PREFECT_SERVER_UI_STATIC_DIRECTORY": str(stack.folder.prefect / "ui"),
        "PREFECT_SERVER_CONCURRENCY_LEASE_STORAGE": LEASES,  # leases in memory die with the server
        # Logs and artifacts of flow runs that `make prune` has removed go as well.
        "PREFECT_SERVER_SERVICES_DB_VACUUM_ENABLED": "events,orphans",
    }
    if settings.auth:
        found["PREFECT_SERVER_API_AUTH_STRING"] = found["PREFECT_API_AUTH_STRING"] = prefect_auth(stack)
    return found


def worker_command(_: Stack) -> list[str]:
    """Return the command of the worker, which creates the work pool.

    It has one name per machine, so that a restarted worker does not leave another one in the UI.
    """
    name = f"{socket.gethostname()}-{POOL}"
    return python_module("prefect", "worker", "start", "--pool", POOL, "--type", "process", "--name", name)
