"""Servers with passwords: without them a request is refused, no password is in a log or a command line."""

import json
import time
from collections.abc import Callable
from pathlib import Path

import psutil

from faults.errors import FaultFound
from faults.servers import Servers, running
from operations.http import Unanswered, ask
from operations.secrets import USER
from operations.stack import mlflow_auth

EXPERIMENT = "/api/2.0/mlflow/experiments/get?experiment_id=0"
FLOWS = "/flows/count"


def run(folder: Path) -> None:
    """Ask both servers without, with wrong and with the right passwords; look for them where others could."""
    with running(folder, "--auth") as servers:
        stack = servers.stack
        prefect, mlflow = f"{stack.settings.prefect_api}{FLOWS}", f"{stack.settings.mlflow_url}{EXPERIMENT}"
        for wrong in ("", f"{USER}:wrong", f"{USER}:password1234"):
            _refused(lambda wrong=wrong: ask(prefect, {}, auth=wrong))  # type: ignore[misc]
            _refused(lambda wrong=wrong: ask(mlflow, auth=wrong))  # type: ignore[misc]
        if ask(prefect, {}, auth=f"{USER}:{stack.secrets.prefect}") != b"0":
            raise FaultFound("Prefect does not answer with the right password")
        if json.loads(ask(mlflow, auth=mlflow_auth(stack)))["experiment"]["experiment_id"] != "0":
            raise FaultFound("MLflow does not answer with the right password")
        servers.command("status")  # with the worker, which needs the password as well
        _other_name_refused(servers)
        _nothing_leaks(servers)


def _refused(request: Callable[[], bytes]) -> None:
    try:
        request()
    except Unanswered as reason:
        if reason.status == 401:
            return
        raise FaultFound(f"refused with HTTP {reason.status}, not 401") from reason
    raise FaultFound("a request without the right password was answered")


def _other_name_refused(servers: Servers) -> None:
    """Check that MLflow refuses the name of another host, with which a web page could reach it."""
    import http.client

    connection = http.client.HTTPConnection("127.0.0.1", servers.stack.settings.mlflow_port, timeout=30)
    connection.request("GET", EXPERIMENT, headers={"Host": "evil.example"})
    status = connection.getresponse().status
    connection.close()
    if status != 403:
        raise FaultFound(f"a request to evil.example was answered with HTTP {status}")


def _nothing_leaks(servers: Servers) -> None:
    folder, secrets = servers.folder, list(vars(servers.stack.secrets).values())
    time.sleep(1)  # the last lines of the logs
    for log in sorted(folder.logs.iterdir()):
        if any(secret in log.read_text(errors="replace") for secret in secrets):
            raise FaultFound(f"{log.name} has a password in it")
    for process in psutil.process_iter(["cmdline"]):
        if any(secret in word for secret in secrets for word in process.info["cmdline"] or ()):
            raise FaultFound(f"the command line of {process} has a password in it")
    for path in sorted(folder.path.iterdir()):
        if path.is_file() and path.stat().st_mode & 0o077:
            text = path.read_text()
            if any(secret in text for secret in secrets):
                raise FaultFound(f"others can read the passwords in {path.name}")
