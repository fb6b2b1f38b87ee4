"""The image, the compose file and its secrets are valid, confined, and consistent with each other."""

import json
import os
import re
import shlex
import subprocess
import sys
import tomllib
from collections.abc import Mapping
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
import yaml
from compose_spec import PyCompose
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from flows.process import GRACE_SECONDS

TELEMETRY = {
    "DO_NOT_TRACK": "true",
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "GX_ANALYTICS_ENABLED": "false",
    "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
    "DVC_NO_ANALYTICS": "1",
}
SERVICES = {
    "postgres",
    "valkey",
    "prefect",
    "prefect-services",
    "mlflow",
    "deploy",
    "worker",
    "worker-gpu",
    "champion",
    "s3",
}
PROFILES = {"worker": ["cpu"], "worker-gpu": ["gpu"], "champion": ["serving"], "s3": ["s3"]}
PROGRAMS = Path(sys.executable).parent


@pytest.fixture(scope="module")
def folder(root: Path) -> Path:
    return root / "infra" / "docker"


@pytest.fixture(scope="module")
def compose(folder: Path) -> dict[str, Any]:
    """The compose file with its merges resolved and each variable at its default."""
    text = re.sub(r"\$\{\w+:-([^}]*)\}", r"\1", (folder / "compose.yaml").read_text())
    loaded: dict[str, Any] = yaml.safe_load(text)
    return loaded


@pytest.fixture(scope="module")
def services(compose: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = compose["services"]
    assert set(found) == SERVICES
    return found


def run(*command: str | Path, **environment: str) -> subprocess.CompletedProcess[str]:
    everything = {"PATH": f"{PROGRAMS}{os.pathsep}{os.environ['PATH']}", **environment}
    return subprocess.run(command, capture_output=True, text=True, env=everything)


def schema_errors(compose: Mapping[str, Any]) -> str:
    """Return what the Compose Specification has against a file, and what is used there but not declared."""
    try:
        parsed = PyCompose.from_yaml(yaml.safe_dump(dict(compose)))
        parsed.validate()
    except ValueError as error:
        return str(error)
    return ""


def test_hadolint_accepts_the_image(folder: Path) -> None:
    checked = run("hadolint", "--failure-threshold", "info", folder / "Dockerfile")
    assert (checked.returncode, checked.stdout) == (0, "")
    broken = run("hadolint", "--failure-threshold", "info", "--no-color", folder / "with-secrets")
    assert broken.returncode == 1, "hadolint finds errors at all"


def test_the_compose_file_conforms_to_the_specification(compose: dict[str, Any]) -> None:
    assert schema_errors(compose) == ""


@pytest.mark.parametrize(
    ("service", "key", "value", "error"),
    [
        ("worker", "shm_siz", "2gb", "shm_siz"),
        ("worker", "stop_grace_period", "60 bananas", "bananas"),
        ("worker", "restart", "sometimes", "sometimes"),
        ("worker", "secrets", ["nowhere"], "nowhere"),
        ("worker", "networks", ["nowhere"], "nowhere"),
        ("worker", "ports", ["127.0.0.1:many:5000"], "many"),
        ("mlflow", "depends_on", {"postgres": {"condition": "service_well"}}, "service_well"),
        ("mlflow", "healthcheck", {"intervall": "5s"}, "intervall"),
    ],
)
def test_the_specification_refuses(
    compose: dict[str, Any], service: str, key: str, value: object, error: str
) -> None:
    services = compose["services"]
    assert error in schema_errors(
        {**compose, "services": {**services, service: {**services[service], key: value}}}
    )


def test_the_linter_finds_only_that_digests_are_missing(folder: Path) -> None:
    checked = run("compose-lint", "check", "--format", "json", "--no-env", folder / "compose.yaml")
    findings = json.loads(checked.stdout)
    rules = {found["rule_id"] for found in (findings["findings"] if isinstance(findings, dict) else findings)}
    assert rules == {"CL-0019"}, checked.stdout  # no registry is reachable from where this was written


def test_docker_accepts_the_file_where_it_is_installed(folder: Path, tmp_path: Path) -> None:
    if run("docker", "compose", "version").returncode:
        pytest.skip("docker compose is not installed, so `docker compose config` was not tried")
    every = ["--profile", "cpu", "--profile", "gpu", "--profile", "s3", "--profile", "serving"]
    checked = run("docker", "compose", "--file", folder / "compose.yaml", *every, "config", "--quiet")
    assert checked.returncode == 0, checked.stderr


def test_every_service_waits_for_services_of_its_profile_with_a_matching_condition(
    services: dict[str, Any],
) -> None:
    for name, service in services.items():
        assert service.get("profiles", []) == PROFILES.get(name, [])
        for other, how in service.get("depends_on", {}).items():
            assert how["condition"] != "service_healthy" or "healthcheck" in services[other]
            assert how["condition"] != "service_completed_successfully" or services[other]["restart"] == "no"
            assert other not in PROFILES or how["required"] is False


def test_every_service_is_confined_bounded_and_restarted(services: dict[str, Any]) -> None:
    for name, service in services.items():
        assert service["restart"] == ("no" if name == "deploy" else "unless-stopped")
        assert service["logging"] == {
            "driver": "json-file",
            "options": {"max-size": "10m", "max-file": "5"},
        }, name
        assert (service["read_only"], service["cap_drop"]) == (True, ["ALL"])
        assert service["security_opt"] == ["no-new-privileges:true"]
        assert set(service["deploy"]["resources"]["limits"]) == {"cpus", "memory", "pids"}, name
        assert service["healthcheck"]["test"][0] == "CMD"


def test_the_gpu_worker_is_the_worker_with_a_gpu(services: dict[str, Any]) -> None:
    gpu, cpu = services["worker-gpu"], services["worker"]
    assert {key for key in gpu if gpu[key] != cpu.get(key)} == {"profiles", "image", "build", "deploy"}
    resources = gpu["deploy"]["resources"]
    assert resources["limits"] == cpu["deploy"]["resources"]["limits"]
    (device,) = resources["reservations"]["devices"]
    assert device == {"driver": "nvidia", "count": 1, "capabilities": ["gpu"]}
    assert gpu["build"]["args"]["TORCH_INDEX"].rsplit("/")[-1].startswith("cu")


def test_volumes_are_declared_and_mounted_files_exist(
    compose: dict[str, Any], services: dict[str, Any], folder: Path
) -> None:
    sources = [volume.split(":")[0] for service in services.values() for volume in service.get("volumes", [])]
    for source in sources:
        assert source in compose["volumes"] or (folder / source).resolve().exists(), source
    assert set(compose["volumes"]) <= set(sources)
    for name in ("worker", "worker-gpu"):
        assert "mirrors:/mirrors:ro" in services[name]["volumes"]
        assert services[name]["environment"]["FACENET_MIRRORS"].split(",")[0] == "/mirrors"
    build = services["prefect"]["build"]
    assert (folder / build["context"] / build["dockerfile"]).resolve() == folder / "Dockerfile"


def test_leases_events_and_jobs_survive_a_restart_of_either_half_of_prefect(services: dict[str, Any]) -> None:
    api, background = services["prefect"], services["prefect-services"]
    shared = {name: value for name, value in api["environment"].items() if name != "HEALTH_URL"}
    assert background["environment"] == shared
    assert api["volumes"] == background["volumes"] == ["prefect:/prefect"]
    assert shared["PREFECT_SERVER_CONCURRENCY_LEASE_STORAGE"].endswith(".filesystem")
    assert "--no-services" in api["command"]
    assert not [value for value in shared.values() if "memory" in value]


def test_images_are_pinned(services: dict[str, Any], folder: Path) -> None:
    for service in services.values():
        assert re.search(r":\d+\.\d+", service["image"])
    dockerfile = (folder / "Dockerfile").read_text()
    base = re.search(r"^ARG PYTHON=(.+)$", dockerfile, re.MULTILINE)
    assert base
    assert re.match(r"3\.11\.\d+-slim-\w+", base[1])
    assert set(re.findall(r"^FROM (\S+)", dockerfile, re.MULTILINE)) == {"python:${PYTHON}"}


def test_every_service_of_ours_disables_telemetry(services: dict[str, Any], folder: Path) -> None:
    dockerfile = (folder / "Dockerfile").read_text()
    for switch, value in TELEMETRY.items():
        assert f"{switch}={value}" in dockerfile
    for name, service in services.items():
        if service["image"].startswith("facenet-pipeline"):
            assert service["environment"].items() >= TELEMETRY.items(), name


def test_the_example_settings_are_the_variables_of_the_file_at_their_defaults(folder: Path) -> None:
    variables = dict(re.findall(r"\$\{(\w+):-([^}]*)\}", (folder / "compose.yaml").read_text()))
    example = dict(re.findall(r"^(\w+)=(.*)$", (folder / ".env.example").read_text(), re.MULTILINE))
    profiles = example.pop("COMPOSE_PROFILES")
    assert [profiles] in PROFILES.values()
    assert example == variables
    assert "$" not in re.sub(r"\$\{\w+:-[^}]*\}", "", (folder / "compose.yaml").read_text())
    assert not [name for name in example if re.search("PASSWORD|SECRET|AUTH", name)]


def test_a_service_gets_the_secrets_that_it_reads(
    compose: dict[str, Any], services: dict[str, Any], tmp_path: Path, folder: Path
) -> None:
    for name, service in services.items():
        pairs = service.get("environment", {}).get("FACENET_FROM_FILES", "").split()
        assert sorted(pair.split("=")[1] for pair in pairs) == sorted(service.get("secrets", [])), name
        wrapped = service["image"].startswith("facenet-pipeline") or "with-secrets" in str(
            service.get("entrypoint")
        )
        assert wrapped or not pairs
    assert run(folder / "make-secrets", tmp_path / "secrets").returncode == 0
    created = {path.name for path in (tmp_path / "secrets").iterdir()}
    files = {name: Path(secret["file"]) for name, secret in compose["secrets"].items()}
    assert files == {name: Path("secrets") / name for name in created}


def test_no_password_is_in_the_file(services: dict[str, Any]) -> None:
    for service in services.values():
        text = f"{service.get('command', '')} {service.get('environment', {})}"
        assert re.findall(r"://([\w.]+:[^@/]*)@", text) == []
        assert re.findall(r"'\w*(?:PASSWORD|SECRET|AUTH_STRING)\w*':", text) == []


def test_secrets_are_created_once_and_for_their_owner_only(folder: Path, tmp_path: Path) -> None:
    secrets = tmp_path / "secrets"
    first = run(folder / "make-secrets", secrets)
    before = {path.name: path.read_text() for path in secrets.iterdir()}
    (secrets / "mlflow_password").unlink()
    run(folder / "make-secrets", secrets)
    after = {path.name: path.read_text() for path in secrets.iterdir()}
    assert {name for name in after if after[name] != before[name]} == {"mlflow_password"}
    assert secrets.stat().st_mode & 0o777 == 0o700
    assert len(set(after.values())) == len(after)
    assert all(len(value) >= 48 and "\n" not in value for value in after.values())
    assert after["prefect_auth"].startswith("admin:")
    assert not [value for value in before.values() if value in first.stdout]


def test_a_command_gets_secrets_from_files(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "one").write_text('it\'s $1 "quoted"\n')
    (tmp_path / "two").write_text("2")
    show = [
        sys.executable,
        "-c",
        "import os, sys; print(repr((os.environ['A'], os.environ['B'], sys.argv[1])))",
    ]
    places = {"FACENET_FILES_FOLDER": str(tmp_path)}
    shown = run(folder / "with-secrets", *show, "a b", FACENET_FROM_FILES="A=one\n  B=two", **places)
    assert shown.stdout == repr(('it\'s $1 "quoted"', "2", "a b")) + "\n"
    assert run(folder / "with-secrets", "true").returncode == 0
    (tmp_path / "empty").touch()
    for missing in ("none", "empty"):
        failed = run(folder / "with-secrets", "true", FACENET_FROM_FILES=f"A={missing}", **places)
        assert failed.returncode == 1
        assert re.search(rf"{tmp_path}/{missing} is missing, empty .*make-secrets", failed.stderr)


class Half(BaseHTTPRequestHandler):
    """Answers /health, and nothing else."""

    def do_GET(self) -> None:
        self.send_response(200 if self.path == "/health" else 503)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Say nothing."""


def test_a_container_is_healthy_if_its_server_responds(folder: Path) -> None:
    server = HTTPServer(("127.0.0.1", 0), Half)
    Thread(target=server.serve_forever, daemon=True).start()
    address = f"http://127.0.0.1:{server.server_port}"
    check = [sys.executable, "-IS", folder / "healthy"]
    assert run(*check, HEALTH_URL=f"{address}/health").returncode == 0
    ill = run(*check, HEALTH_URL=f"{address}/other")
    assert (ill.returncode, "503" in ill.stderr) == (1, True)
    server.shutdown()
    server.server_close()
    gone = run(*check, HEALTH_URL=f"{address}/health")
    assert (gone.returncode, "refused" in gone.stderr) == (1, True)
    assert run(*check).returncode == 0, "a job has no server"
    assert (folder / "healthy").read_text().splitlines()[0] == "#!/usr/local/bin/python -IS"


def test_the_image_has_what_the_pipeline_requires_and_no_tools_for_development(
    root: Path, folder: Path
) -> None:
    project = tomllib.loads((root / "pyproject.toml").read_text())["project"]
    printed = run(
        sys.executable, folder / "runtime_requirements.py", root / "pyproject.toml"
    ).stdout.splitlines()
    names = {canonicalize_name(Requirement(line).name) for line in printed}
    extras = project["optional-dependencies"]
    assert set(printed) >= {*project["dependencies"], *extras["cluster"], *extras["servers"]}
    assert not names & {Requirement(line).name for line in extras["dev"] + extras["docs"]}
    lock = (root / "requirements.lock").read_text().splitlines()
    assert names <= {canonicalize_name(line.split("==")[0]) for line in lock}
    dockerfile = (folder / "Dockerfile").read_text()
    last = dockerfile.split("\nFROM ")[-1]
    assert not re.search(r"\b(pip|gcc|build-essential|make)\b", re.sub(r"^#.*", "", last, flags=re.MULTILINE))
    assert dockerfile.index("COPY requirements.lock") < dockerfile.index("COPY pyproject.toml")


def test_the_image_has_one_pin_of_each_package(root: Path, folder: Path) -> None:
    """The lock has several of some packages, for different Pythons; pip refuses two that both apply."""
    dockerfile = (folder / "Dockerfile").read_text()
    found = re.search(r"grep -oE '\S+' requirements\.lock(?= > pins\.txt)", dockerfile)
    assert found is not None
    lines = subprocess.run(shlex.split(found[0]), cwd=root, capture_output=True, text=True, check=True).stdout
    pins = [Requirement(line) for line in lines.splitlines()]
    version = re.search(r"^ARG PYTHON=((\d+\.\d+)\.\d+)", dockerfile, re.MULTILINE)
    assert version is not None
    image = {"python_version": version[2], "python_full_version": version[1], "sys_platform": "linux"}
    chosen = [pin.name for pin in pins if pin.marker is None or pin.marker.evaluate(image)]
    assert len(chosen) > 200
    assert len(chosen) == len(set(chosen))


def test_the_builder_gets_the_files_that_the_image_copies(folder: Path) -> None:
    copied = re.findall(
        r"^COPY (?:--chmod=\d+ )?(?!--from)(.+) \S+$", (folder / "Dockerfile").read_text(), re.MULTILINE
    )
    allowed = re.findall(r"^!(.+)$", (folder / "Dockerfile.dockerignore").read_text(), re.MULTILINE)
    assert sorted(allowed) == sorted(name for line in copied for name in line.split())
    assert "\n*\n" in (folder / "Dockerfile.dockerignore").read_text()


def test_the_database_addresses_match_the_created_databases(
    services: dict[str, Any], root: Path, folder: Path
) -> None:
    sql = (root / "infra" / "postgres" / "init.sql").read_text()
    addresses = {
        "prefect": [services["prefect"]["environment"]["PREFECT_SERVER_DATABASE_CONNECTION_URL"]],
        "mlflow": [services["mlflow"]["command"], (folder / "mlflow-auth.ini").read_text()],
    }
    for name, places in addresses.items():
        assert all(f"://{name}@postgres:5432/{name}" in place for place in places)
        assert f"PGPASSWORD={name}_db_password" in services[name]["environment"]["FACENET_FROM_FILES"]
        assert f"CREATE DATABASE {name} OWNER {name};" in sql
    given = services["postgres"]["environment"]["FACENET_FROM_FILES"]
    assert set(re.findall(r"\\getenv \w+ (\w+)", sql)) <= {pair.split("=")[0] for pair in given.split()}


def test_no_server_is_reachable_from_the_network(compose: dict[str, Any], services: dict[str, Any]) -> None:
    ports = [port for service in services.values() for port in service.get("ports", [])]
    assert len(ports) == 3
    assert all(port.startswith("127.0.0.1:") for port in ports)
    on = {name: set(service["networks"]) for name, service in services.items()}
    assert on["postgres"] == on["valkey"] == {"databases"}
    assert on["s3"] == {"objects"}
    assert [name for name in on if "databases" in on[name]] == [
        "postgres",
        "valkey",
        "prefect",
        "prefect-services",
        "mlflow",
    ]
    internal = {name for name, network in compose["networks"].items() if network.get("internal")}
    assert internal == {"databases", "objects"}


def test_the_worker_has_time_to_write_a_checkpoint(services: dict[str, Any]) -> None:
    assert int(services["worker"]["stop_grace_period"].removesuffix("s")) > GRACE_SECONDS + 10
