"""The real servers, started once: up, status, a death, down."""

import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from faults.servers import port_options
from operations import status, up
from operations.errors import ServicesFailed
from operations.folder import VARIABLE, Folder
from operations.http import ask
from operations.launch import stack_of
from operations.leftovers import leftovers
from operations.settings import Settings
from operations.supervision import Supervisor
from tests.waiting import wait_for

pytestmark = [pytest.mark.server, pytest.mark.slow]


def services(folder: Folder, root: Path, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "operations", *words],
        cwd=root,
        env={**os.environ, VARIABLE: str(folder.path)},
        capture_output=True,
        text=True,
    )


@pytest.fixture(scope="module")
def running() -> Iterator[Folder]:
    """Servers with all defaults but their ports, in a folder with spaces and other letters."""
    root = Path(__file__).parents[2]
    with tempfile.TemporaryDirectory(prefix="facenet ünï ") as name:
        Path(name).chmod(0o711)  # as root, PostgreSQL runs as another user
        folder = Folder(Path(name) / "sérvers #1")
        done = services(folder, root, "up", "--wait", "280", *port_options())
        try:
            assert done.returncode == 0, done.stderr
            yield folder
        finally:
            services(folder, root, "down")


def test_all_are_healthy_soon_known_and_private(running: Folder, root: Path) -> None:
    start = time.monotonic()
    done = services(running, root, "status")
    assert done.returncode == 0, done.stdout
    assert time.monotonic() - start < 20  # two seconds where the tests do not share the processor
    rows = status.rows(stack_of(running))
    names = [row.name for row in rows]
    assert [name for name in names if name != "postgresql"] == ["prefect", "mlflow", "worker"]
    assert all(
        row.good and row.state in ("starting", "running") and psutil.pid_exists(row.pid) for row in rows
    )
    for line, row in zip(done.stdout.splitlines()[1:], rows, strict=True):
        assert (line.split()[0], line.split()[2]) == (row.name, str(row.pid))
    for path in (running.secrets, running.environment, running.supervisor, running.mlflow / "auth.ini"):
        assert path.stat().st_mode & 0o077 == 0, path


def test_the_ui_of_prefect_calls_its_own_port(running: Folder) -> None:
    settings = stack_of(running).settings
    assert settings.prefect_api.encode() in ask(f"http://127.0.0.1:{settings.prefect_port}/ui-settings")


def test_a_shell_gets_the_addresses(running: Folder) -> None:
    source = f"source '{running.environment}' && echo $PREFECT_API_URL $MLFLOW_TRACKING_URI"
    done = subprocess.run(["bash", "-c", source], capture_output=True, text=True, check=True)
    settings = stack_of(running).settings
    assert done.stdout.split() == [settings.prefect_api, settings.mlflow_url]


def test_a_second_up_changes_nothing(running: Folder, root: Path) -> None:
    before = [row.pid for row in status.rows(stack_of(running))]
    files = {path: path.read_bytes() for path in running.path.iterdir() if path.is_file()}
    done = services(running, root, "up")
    assert done.returncode == 0, done.stderr
    assert "The servers are up already." in done.stdout
    assert f"export PREFECT_API_URL={stack_of(running).settings.prefect_api}" in done.stdout
    assert [row.pid for row in status.rows(stack_of(running))] == before
    assert {path: path.read_bytes() for path in running.path.iterdir() if path.is_file()} == files
    refused = services(running, root, "up", "--auth")
    assert refused.returncode == 1
    assert "other settings (auth: False, not True). Run `make down` first." in refused.stderr


def test_what_dies_comes_back(running: Folder) -> None:
    before = worker(running)
    os.kill(before.pid, signal.SIGKILL)
    wait_for(lambda: worker(running).pid not in (0, before.pid))


def worker(running: Folder) -> status.Row:
    return next(row for row in status.rows(stack_of(running)) if row.name == "worker")


def test_down_leaves_nothing(running: Folder, root: Path) -> None:
    pid = Supervisor(stack_of(running)).pid()
    done = services(running, root, "down")
    assert done.stdout.endswith("The servers are down.\n"), done.stderr
    assert leftovers(running) == []
    assert not psutil.pid_exists(pid) or psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
    assert services(running, root, "status").returncode == 1
    assert services(running, root, "down").stdout == "The servers were down.\n"


def test_a_port_of_another_program_stops_it_before_anything_starts(running: Folder, root: Path) -> None:
    with socket.socket() as other:
        other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        other.bind(("127.0.0.1", stack_of(running).settings.mlflow_port))
        other.listen()
        done = services(running, root, "up")
    assert done.returncode == 1
    assert "--mlflow-port N" in done.stderr
    assert leftovers(running) == []


def test_without_postgresql_it_is_sqlite_in_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("FACENET_POSTGRESQL", str(tmp_path))
    monkeypatch.setenv("PATH", str(tmp_path))
    assert up._with_database(Settings()).database == "sqlite"
    assert capsys.readouterr().out.count("\n") == 1
    assert up._with_database(Settings(database="postgresql")).database == "postgresql"


def test_what_is_not_healthy_in_time_is_named_with_its_log(
    folder: Folder, monkeypatch: pytest.MonkeyPatch
) -> None:
    from operations.secrets import Secrets
    from operations.stack import Stack

    folder.log("mlflow").write_text("OSError: disk full\n")
    monkeypatch.setattr(status, "rows", lambda _: [status.Row("mlflow", "fatal", 0, 0, 1, "HTTP 500")])
    with pytest.raises(ServicesFailed, match=r"Not healthy within 0 s: mlflow: HTTP 500; OSError: disk full"):
        up._wait(Stack(folder, Settings(), Secrets()), 0)
