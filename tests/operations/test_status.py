"""The table of `make status`; tests/operations/test_up.py shows it for real servers."""

import os
import subprocess
import sys
from collections.abc import Callable

import pytest

from operations import status
from operations.folder import MARKER, Folder
from operations.leftovers import leftovers
from operations.settings import save
from operations.stack import Stack
from operations.status import Row, duration, show, table
from tests.servers import free_port
from tests.waiting import wait_for

GOOD = Row("prefect", "running", 4711, 93784, 4200, "healthy")
BAD = Row("worker", "backoff", 0, 0, 0, "no heartbeat yet")


def test_the_columns_are_aligned() -> None:
    assert table([GOOD, BAD]).splitlines() == [
        "server   state    pid   uptime   port  health",
        "prefect  running  4711  1 d 2 h  4200  healthy",
        "worker   backoff  -     -        -     no heartbeat yet",
    ]


@pytest.mark.parametrize(
    ("seconds", "expected"),
    [
        (0, "0 s"),
        (59, "59 s"),
        (428, "7 min 8 s"),
        (21999, "6 h 6 min"),
        (3600, "1 h 0 min"),
        (273600, "3 d 4 h"),
    ],
)
def test_a_duration_has_its_two_largest_units(seconds: int, expected: str) -> None:
    assert duration(seconds) == expected


def test_a_bad_server_is_shown_with_the_end_of_its_log(
    make_stack: Callable[..., Stack],
    folder: Folder,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    save(make_stack().settings, folder)
    folder.log("worker").write_text("Traceback\nOSError: No space left on device\n")
    monkeypatch.setattr(status, "rows", lambda _: [GOOD, BAD])
    assert show(folder) is False
    assert f"worker: OSError: No space left on device\n  {folder.log('worker')}\n" in capsys.readouterr().out
    monkeypatch.setattr(status, "rows", lambda _: [GOOD])
    assert show(folder) is True


def test_servers_that_are_down_are_not_healthy(
    make_stack: Callable[..., Stack], folder: Folder, capsys: pytest.CaptureFixture[str]
) -> None:
    save(make_stack(control_port=free_port()).settings, folder)
    assert show(folder) is False
    assert f"{folder.path} are down: run `make up`." in capsys.readouterr().out
    sleep = [sys.executable, "-c", "import time; time.sleep(600)"]
    with subprocess.Popen(sleep, env={**os.environ, MARKER: str(folder.path)}) as orphan:
        wait_for(lambda: leftovers(folder))
        assert show(folder) is False
        orphan.kill()
    assert "run without a supervisor (processes: 1): run `make up`." in capsys.readouterr().out
