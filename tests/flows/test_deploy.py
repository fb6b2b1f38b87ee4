"""`make deploy` without a server, or with a file that Prefect refuses; tests/infra deploys for real."""

from functools import partial
from pathlib import Path

import pytest
from prefect.settings import PREFECT_API_URL, temporary_settings

from flows import deploy as deploy_module
from flows.deploy import NotDeployed, deploy, main
from flows.servers import require_prefect
from tests.servers import free_port


def test_without_a_server_it_is_one_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(deploy_module, "require_prefect", partial(require_prefect, patience=0))
    url = f"http://127.0.0.1:{free_port()}/api"
    with temporary_settings({PREFECT_API_URL: url}), pytest.raises(SystemExit, match="1"):
        main([])
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith(f"ServerMissing: The Prefect server {url}")


def test_a_file_that_prefect_refuses_is_named(
    api: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(deploy_module, "FILE", tmp_path / "missing.yaml")
    with pytest.raises(NotDeployed, match=r"Prefect refused .*missing\.yaml"):
        deploy()
