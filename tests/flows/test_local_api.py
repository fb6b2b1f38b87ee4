"""Runs without a Prefect server: a temporary one with its database in the workspace."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import psutil
import pytest

from flows.local_api import HEARTBEAT_SECONDS, STARTUP_SECONDS, local_api
from flows.workspace import WorkspaceInvalid
from tests.waiting import wait_for

SHOW = """
import json
from prefect.settings import get_current_settings
from flows.local_api import local_api

def shown():
    server = get_current_settings().server
    url = server.database.connection_url
    start = server.ephemeral
    return [start.enabled, start.startup_timeout_seconds, url and url.get_secret_value()]

before = shown()
with local_api():
    inside = shown()
print(json.dumps([before, inside, shown()]))
"""
RUN = """
import os, signal, sys
from prefect import flow
from flows.local_api import local_api

@flow
def greet():
    return "done"

with local_api():
    print(greet(), flush=True)
    if "wait" in sys.argv:
        signal.pause()
"""


def command(root: Path, home: Path, code: str, *words: str, **variables: str) -> dict[str, Any]:
    """Return what subprocess needs to run code as a user without a Prefect server does."""
    ours = {name: value for name, value in os.environ.items() if not name.startswith("PREFECT_API_")}
    environment = {**ours, "PYTHONPATH": str(root), "PREFECT_HOME": str(home), **variables}
    return {"args": [sys.executable, "-c", code, *words], "env": environment, "text": True}


def show(root: Path, home: Path, **variables: str) -> Any:
    options = command(root, home, SHOW, **variables)
    return json.loads(subprocess.run(**options, capture_output=True, check=True).stdout)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty working folder."""
    (tmp_path / "work").mkdir()
    monkeypatch.chdir(tmp_path / "work")
    return tmp_path / "work"


def test_inside_the_block_a_temporary_server_keeps_its_database_in_the_workspace(
    folder: Path, tmp_path: Path, root: Path
) -> None:
    before, inside, after = show(root, tmp_path / "home")
    assert inside == [True, STARTUP_SECONDS, f"sqlite+aiosqlite:///{folder}/.prefect/prefect.db"]
    assert before == after != inside
    assert (folder / ".prefect").is_dir()


def test_settings_of_the_environment_take_precedence(folder: Path, tmp_path: Path, root: Path) -> None:
    other = f"sqlite+aiosqlite:///{tmp_path / 'other.db'}"
    _, inside, _ = show(root, tmp_path / "home", PREFECT_API_DATABASE_CONNECTION_URL=other)
    assert inside == [True, STARTUP_SECONDS, other]


def test_a_configured_server_is_used(folder: Path, api: str) -> None:
    from prefect.settings import get_current_settings

    assert get_current_settings().flows.heartbeat_frequency != HEARTBEAT_SECONDS
    with local_api():
        assert get_current_settings().api.url == api
        assert get_current_settings().flows.heartbeat_frequency == HEARTBEAT_SECONDS
    assert not (folder / ".prefect").exists()


def test_a_folder_or_database_that_cannot_be_used_is_named_at_once(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from prefect.settings import PREFECT_API_URL, temporary_settings

    monkeypatch.delenv("PREFECT_API_URL", raising=False)
    with temporary_settings(restore_defaults={PREFECT_API_URL}):
        Path(".prefect").write_text("a file")
        with pytest.raises(WorkspaceInvalid, match=r"prefect\.db, .* cannot be used: .*PREFECT_API_URL"):
            local_api().__enter__()
        Path(".prefect").unlink()
        Path(".prefect").mkdir()
        Path(".prefect/prefect.db").write_text("half a database")
        with pytest.raises(
            WorkspaceInvalid, match=r"prefect\.db, .* is not an SQLite database\. .*delete it"
        ):
            local_api().__enter__()


@pytest.mark.slow
def test_a_flow_runs_in_a_workspace_of_any_name(tmp_path: Path, root: Path) -> None:
    name = "ünï faces #1? 100%"
    folder = tmp_path / "places" / name
    folder.mkdir(parents=True)
    options = command(root, tmp_path / "home", RUN)
    assert subprocess.run(**options, cwd=folder, capture_output=True, check=True).stdout == "done\n"
    assert (folder / ".prefect" / "prefect.db").exists()
    assert [path.name for path in folder.parent.iterdir()] == [name]


@pytest.mark.slow
def test_a_flow_runs_quietly_and_sigterm_stops_the_temporary_server(
    folder: Path, tmp_path: Path, root: Path
) -> None:
    options = command(root, tmp_path / "home", RUN, "wait")
    process = subprocess.Popen(**options, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert process.stdout is not None
    assert process.stdout.readline() == "done\n"
    servers = psutil.Process(process.pid).children(recursive=True)
    assert servers
    process.terminate()
    _, errors = process.communicate(timeout=300)
    assert process.returncode == 143
    assert "temporary server" not in errors
    wait_for(lambda: not any(server.is_running() for server in servers))
    assert (folder / ".prefect" / "prefect.db").exists()
