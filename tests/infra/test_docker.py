"""The compose file, its image and its secrets are consistent with each other and with the lock."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

TELEMETRY = {
    "DO_NOT_TRACK": "true",
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "GX_ANALYTICS_ENABLED": "false",
    "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
    "DVC_NO_ANALYTICS": "1",
}


@pytest.fixture(scope="module")
def folder(root: Path) -> Path:
    return root / "infra" / "docker"


@pytest.fixture(scope="module")
def compose(folder: Path) -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.safe_load((folder / "compose.yaml").read_text())
    return loaded


def test_every_service_waits_for_existing_services_with_a_matching_condition(compose: dict[str, Any]) -> None:
    services = compose["services"]
    assert set(services) == {"postgres", "prefect", "mlflow", "deploy", "worker"}
    for service in services.values():
        for other, how in service.get("depends_on", {}).items():
            assert how["condition"] != "service_healthy" or "healthcheck" in services[other]
            assert how["condition"] != "service_completed_successfully" or services[other]["restart"] == "no"


def test_volumes_are_declared_and_mounted_files_exist(compose: dict[str, Any], folder: Path) -> None:
    for service in compose["services"].values():
        for volume in service.get("volumes", []):
            source = volume.split(":")[0]
            assert source in compose["volumes"] or (folder / source).resolve().exists()
    build = compose["services"]["prefect"]["build"]
    assert (folder / build["context"] / build["dockerfile"]).resolve() == folder / "Dockerfile"


def test_images_are_pinned(compose: dict[str, Any], folder: Path) -> None:
    for service in compose["services"].values():
        assert re.search(r":\d+\.\d+", service["image"])
    base = re.search(r"^ARG PYTHON=(.+)$", (folder / "Dockerfile").read_text(), re.MULTILINE)
    assert base
    assert re.match(r"3\.11\.\d+-slim-\w+", base[1])


def test_every_service_of_ours_disables_telemetry(compose: dict[str, Any], folder: Path) -> None:
    dockerfile = (folder / "Dockerfile").read_text()
    for switch, value in TELEMETRY.items():
        assert f"{switch}={value}" in dockerfile
    for name, service in compose["services"].items():
        assert name == "postgres" or service["environment"].items() >= TELEMETRY.items()


def test_secrets_come_only_from_the_environment(folder: Path) -> None:
    text = (folder / "compose.yaml").read_text()
    named = set(re.findall(r"\$\{(\w+)", text))
    example = dict(re.findall(r"^(\w+)=(.*)$", (folder / ".env.example").read_text(), re.MULTILINE))
    assert named == set(example)
    passwords = [name for name in example if name.endswith("PASSWORD")]
    assert len(passwords) == 3
    for name in passwords:
        assert example[name] == ""
        assert f"${{{name}:?" in text  # compose refuses to start without it
    assert not re.search(r"PASSWORD: (?!\$\{)", text)


def test_the_database_urls_match_the_created_databases(compose: dict[str, Any], root: Path) -> None:
    sql = (root / "infra" / "postgres" / "init.sql").read_text()
    addresses = (
        compose["services"]["prefect"]["environment"]["PREFECT_SERVER_DATABASE_CONNECTION_URL"],
        compose["services"]["mlflow"]["command"],
    )
    for name, address in zip(("prefect", "mlflow"), addresses, strict=True):
        assert f"://{name}:${{{name.upper()}_DB_PASSWORD}}@postgres:5432/{name}" in address
        assert f"CREATE DATABASE {name} OWNER {name};" in sql
        assert f"{name.upper()}_DB_PASSWORD" in sql


def test_no_server_is_reachable_from_the_network(compose: dict[str, Any]) -> None:
    ports = [port for service in compose["services"].values() for port in service.get("ports", [])]
    assert len(ports) == 2
    assert all(port.startswith("127.0.0.1:") for port in ports)


def test_the_worker_has_time_to_write_a_checkpoint(compose: dict[str, Any]) -> None:
    from flows.process import GRACE_SECONDS

    assert int(compose["services"]["worker"]["stop_grace_period"].removesuffix("s")) > GRACE_SECONDS + 10
