"""Ports and options of the servers, remembered from one start to the next."""

import json
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from typing import Any

from facenet.atomic import write_text
from operations.errors import ServicesFailed
from operations.folder import Folder
from operations.served import SLOTS

LOOPBACK = "127.0.0.1"
S3_PORTS = 10  # the store listens on that many ports, from its own upwards, on loopback


@dataclass(frozen=True)
class Settings:
    """What the servers run with; all of it is in settings.json, and none of it is secret.

    workspace: the root of the project, in which the worker runs flows.
    database: postgresql, sqlite, or "" until the first start has chosen one.
    hostname: the name by which browsers reach this machine; other than 127.0.0.1 the servers with a
        password listen on all interfaces.
    model: the registered model whose champion is served.
    """

    workspace: str = ""
    database: str = ""
    hostname: str = LOOPBACK
    model: str = "facenet"
    auth: bool = False
    s3: bool = False
    serve: bool = False
    prefect_port: int = 4200
    mlflow_port: int = 5000
    postgresql_port: int = 5433  # 5432 is that of Debian's own cluster
    champion_port: int = 5001
    s3_port: int = 8333
    control_port: int = 4201

    @property
    def prefect_api(self) -> str:
        """The URL of Prefect's API for programs on this machine."""
        return f"http://{LOOPBACK}:{self.prefect_port}/api"

    @property
    def mlflow_url(self) -> str:
        """The URL of MLflow for programs on this machine."""
        return f"http://{LOOPBACK}:{self.mlflow_port}"

    @property
    def listen(self) -> str:
        """The address that Prefect and MLflow listen on."""
        return LOOPBACK if self.hostname == LOOPBACK else "0.0.0.0"  # noqa: S104  # only with passwords

    def with_database(self, database: str) -> "Settings":
        """Return the settings with another database."""
        return replace(self, database=database)

    def changes(self, before: "Settings") -> str:
        """Return the fields that differ, with both values, for a message."""
        names = [
            field.name for field in fields(self) if getattr(self, field.name) != getattr(before, field.name)
        ]
        return ", ".join(f"{name}: {getattr(before, name)}, not {getattr(self, name)}" for name in names)

    def model_port(self, slot: str) -> int:
        """Return the port of one of the two model servers behind the champion's port."""
        return self.champion_port + 1 + SLOTS.index(slot)

    def ports(self) -> dict[str, list[int]]:
        """Return the ports that the servers listen on, by the name of their option."""
        used = {name: [getattr(self, name)] for name in ("control_port", "prefect_port", "mlflow_port")}
        if self.database == "postgresql":
            used["postgresql_port"] = [self.postgresql_port]
        if self.serve:
            used["champion_port"] = [self.champion_port, *map(self.model_port, SLOTS)]
        if self.s3:
            used["s3_port"] = list(range(self.s3_port, self.s3_port + S3_PORTS))
        return used


PORTS = tuple(field.name for field in fields(Settings) if field.name.endswith("_port"))


def variable(port: str) -> str:
    """Return the environment variable of a port: FACENET_PREFECT_PORT for prefect_port."""
    return f"FACENET_{port.upper()}"


def load(folder: Folder) -> Settings | None:
    """Return the settings of the last start, None before the first.

    Raises:
        ServicesFailed: settings.json is damaged.
    """
    if not folder.settings.exists():
        return None
    try:
        return Settings(**json.loads(folder.settings.read_text()))
    except (ValueError, TypeError) as error:
        raise ServicesFailed(
            f"{folder.settings} is not a valid settings file: {error}. Delete it and run `make up` again "
            "with the options that you need; data and passwords stay."
        ) from error


def save(settings: Settings, folder: Folder) -> None:
    """Write settings.json."""
    write_text(folder.settings, json.dumps(asdict(settings), indent=2, ensure_ascii=False) + "\n")


def choose(options: Mapping[str, Any], before: Settings | None) -> Settings:
    """Return the settings to start with: an option counts more than the environment, that more than before.

    options: fields of Settings, None where the command line does not give one.

    Raises:
        ServicesFailed: a port is invalid or used twice, a hostname is given without a password, or this is
            not the root of the project.
    """
    given = {name: value for name, value in options.items() if value is not None}
    environment = {port: _port(variable(port)) for port in PORTS if os.environ.get(variable(port))}
    here = {"workspace": str(Path.cwd())}  # the project may have been moved
    settings = replace(before or Settings(), **{**here, **environment, **given})
    if not Path("dvc.yaml").exists():
        raise ServicesFailed(f"{Path.cwd()} is not the root of the project, in which the worker runs flows.")
    if settings.hostname != LOOPBACK and not settings.auth:
        raise ServicesFailed(
            f"--hostname {settings.hostname} opens the servers to other machines, which needs passwords: "
            "add --auth."
        )
    _check_ports(settings)
    return settings


def _port(name: str) -> int:
    try:
        return int(os.environ[name])
    except ValueError as error:
        raise ServicesFailed(f"{name} is not a valid port: {os.environ[name]!r}.") from error


def _check_ports(settings: Settings) -> None:
    owners: dict[int, str] = {}
    for name, ports in settings.ports().items():
        for port in ports:
            option = option_of(name)
            if not 1024 <= port <= 65535:
                raise ServicesFailed(f"{option} {port} is not a valid port: it must be from 1024 to 65535.")
            if port in owners:
                raise ServicesFailed(f"{option} and {owners[port]} both use the port {port}.")
            owners[port] = option


def option_of(port: str) -> str:
    """Return the command-line option of a port."""
    return f"--{port.replace('_', '-')}"
