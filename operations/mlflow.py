"""The MLflow server, and the servers of the champion."""

from collections.abc import Callable

from operations.folder import write_private
from operations.secrets import USER
from operations.served import load_served
from operations.settings import LOOPBACK
from operations.stack import Stack, client_environment, database_uri, python_module

AUTH = """\
[mlflow]
default_permission = READ
database_uri = {uri}
authorization_function = mlflow.server.auth:authenticate_request_basic_auth
grant_default_workspace_access = false
auth_cache_ttl_seconds = 60
"""


def server_command(stack: Stack) -> list[str]:
    """Return the command of the server; the URL of its store has a password, which a command would show."""
    host, port = stack.settings.listen, str(stack.settings.mlflow_port)
    command = python_module("mlflow", "server", "--host", host, "--port", port, "--workers", "1")
    return [*command, "--app-name", "basic-auth"] if stack.settings.auth else command


def server_environment(stack: Stack) -> dict[str, str]:
    """Return the variables of the server: store, artifacts, the host names it answers, and passwords."""
    settings, folder, secrets = stack.settings, stack.folder, stack.secrets
    hosts = dict.fromkeys(
        f"{host}:{settings.mlflow_port}" for host in (LOOPBACK, "localhost", settings.hostname)
    )
    found = {
        "MLFLOW_BACKEND_STORE_URI": database_uri(stack, "mlflow"),
        "MLFLOW_ARTIFACTS_DESTINATION": str(folder.mlflow / "artifacts"),
        "MLFLOW_SERVER_ALLOWED_HOSTS": ",".join(hosts),
    }
    if settings.auth:
        found["MLFLOW_AUTH_CONFIG_PATH"] = str(folder.mlflow / "auth.ini")
        found["MLFLOW_AUTH_ADMIN_USERNAME"] = USER
        found["MLFLOW_AUTH_ADMIN_PASSWORD"] = secrets.mlflow
        found["MLFLOW_FLASK_SERVER_SECRET_KEY"] = secrets.mlflow_session
    return found


def write_auth_config(stack: Stack) -> None:
    """Write auth.ini: users are in the same database as the runs."""
    uri = database_uri(stack, "mlflow").replace("%", "%%")
    write_private(stack.folder.mlflow / "auth.ini", AUTH.format(uri=uri))


def model_command(slot: str) -> Callable[[Stack], list[str]]:
    """Return what makes the command of one of the two servers of the champion."""

    def command(stack: Stack) -> list[str]:
        model = f"models:/{stack.settings.model}/{load_served(stack.folder).version_of(slot)}"
        port = str(stack.settings.model_port(slot))
        where = ["--host", LOOPBACK, "--port", port, "--workers", "1", "--env-manager", "local"]
        return python_module("mlflow", "models", "serve", "-m", model, *where)

    return command


def model_environment(stack: Stack) -> dict[str, str]:
    """Return the variables of a server of the champion; it loads no pickles."""
    return {**client_environment(stack), "MLFLOW_ALLOW_PICKLE_DESERIALIZATION": "false"}
