"""Options, environment and what is remembered make the settings."""

from pathlib import Path
from typing import Any

import pytest

from operations.errors import ServicesFailed
from operations.folder import Folder
from operations.settings import PORTS, Settings, choose, load, save, variable


@pytest.fixture(autouse=True)
def _no_ports(monkeypatch: pytest.MonkeyPatch, root: Path) -> None:
    monkeypatch.chdir(root)
    for port in PORTS:
        monkeypatch.delenv(variable(port), raising=False)


def test_an_option_counts_more_than_the_environment_and_that_more_than_before(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    before = Settings(prefect_port=2001, mlflow_port=2002, control_port=2003, auth=True)
    monkeypatch.setenv("FACENET_PREFECT_PORT", "3001")
    monkeypatch.setenv("FACENET_MLFLOW_PORT", "3002")
    chosen = choose({"prefect_port": 4001, "mlflow_port": None, "auth": None, "serve": True}, before)
    assert (chosen.prefect_port, chosen.mlflow_port, chosen.control_port) == (4001, 3002, 2003)
    assert (chosen.auth, chosen.serve) == (True, True)
    assert choose({"auth": False}, before).auth is False


def test_settings_are_remembered(folder: Folder) -> None:
    assert load(folder) is None
    settings = Settings(workspace="/ünï code", database="sqlite", hostname="box", auth=True, s3_port=2000)
    save(settings, folder)
    assert load(folder) == settings


@pytest.mark.parametrize("text", ["{", "[]", '{"prot": 1}'])
def test_damaged_settings_are_named(folder: Folder, text: str) -> None:
    folder.settings.write_text(text)
    with pytest.raises(ServicesFailed, match=r"settings\.json is not a valid settings file: .*Delete it"):
        load(folder)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"prefect_port": 80}, "--prefect-port 80 is not a valid port"),
        ({"mlflow_port": 70000}, "--mlflow-port 70000 is not a valid port"),
        ({"mlflow_port": 4200}, "--mlflow-port and --prefect-port both use the port 4200"),
        ({"serve": True, "champion_port": 4999}, "--champion-port and --mlflow-port both use the port 5000"),
        ({"hostname": "box"}, "--hostname box .* add --auth"),
    ],
)
def test_what_cannot_work_is_refused(options: dict[str, Any], message: str) -> None:
    with pytest.raises(ServicesFailed, match=message):
        choose(options, None)


def test_a_port_in_the_environment_that_is_not_a_number_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FACENET_S3_PORT", "tcp")
    with pytest.raises(ServicesFailed, match="FACENET_S3_PORT is not a valid port: 'tcp'"):
        choose({}, None)


def test_only_the_ports_that_are_used_are_listed() -> None:
    assert set(Settings(database="sqlite").ports()) == {"control_port", "prefect_port", "mlflow_port"}
    full = Settings(database="postgresql", s3=True, serve=True).ports()
    assert set(full) == set(PORTS)
    assert full["champion_port"] == [5001, 5002, 5003]
    assert full["s3_port"] == list(range(8333, 8343))


def test_servers_listen_on_loopback_unless_they_have_a_name() -> None:
    assert Settings().listen == "127.0.0.1"
    assert Settings(hostname="box", auth=True).listen == "0.0.0.0"


def test_the_workspace_is_where_it_is_started(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ServicesFailed, match="is not the root of the project"):
        choose({}, None)
    (tmp_path / "dvc.yaml").touch()
    assert choose({}, Settings(workspace="/moved", prefect_port=2001)).workspace == str(tmp_path)


def test_a_change_is_described_with_both_values() -> None:
    assert Settings(auth=True).changes(Settings()) == "auth: False, not True"
