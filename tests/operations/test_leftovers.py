"""Processes that outlived their supervisor are found by their environment, and ended."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from operations.folder import MARKER, NAME, Folder
from operations.leftovers import (
    _workers,
    end_flows,
    end_leftovers,
    end_orphans,
    leftovers,
    wait_for_end,
)
from tests.waiting import wait_for

STUBBORN = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); time.sleep(600)"


@pytest.fixture
def processes(folder: Folder, tmp_path: Path) -> Iterator[dict[str, "subprocess.Popen[bytes]"]]:
    """Two processes of the folder, one of another folder, and one that has nothing to do with servers."""
    ours = {MARKER: str(folder.path)}
    started = {
        name: subprocess.Popen([sys.executable, "-c", STUBBORN], env={**os.environ, **variables})
        for name, variables in {
            "mlflow": {**ours, NAME: "mlflow"},
            "worker": {**ours, NAME: "worker"},
            "other": {MARKER: str(tmp_path / "other"), NAME: "mlflow"},
            "free": {},
        }.items()
    }
    wait_for(lambda: len(leftovers(folder)) == 2)
    yield started
    for process in started.values():
        process.kill()
        process.wait()


def test_only_the_processes_of_the_folder_are_ended_even_if_they_ignore_sigterm(
    processes: dict[str, "subprocess.Popen[bytes]"], folder: Folder
) -> None:
    assert {process.pid for process in leftovers(folder)} == {
        processes["mlflow"].pid,
        processes["worker"].pid,
    }
    described = end_leftovers(folder, grace=0.1)
    assert len(described) == 2
    assert f"process {processes['mlflow'].pid} (-c import" in " ".join(described)
    assert leftovers(folder) == []
    assert processes["other"].poll() is processes["free"].poll() is None
    assert end_leftovers(folder) == []


def test_orphans_of_one_server_leave_the_others_alone(
    processes: dict[str, "subprocess.Popen[bytes]"], folder: Folder
) -> None:
    end_orphans(folder, "mlflow")
    assert [process.pid for process in leftovers(folder)] == [processes["worker"].pid]


def test_flows_are_the_children_of_a_worker_and_end_before_it(folder: Folder) -> None:
    nested = "import subprocess, sys; subprocess.run([sys.executable, '-c', 'import time; time.sleep(600)'])"
    variables = {MARKER: str(folder.path), NAME: "worker"}
    with subprocess.Popen([sys.executable, "-c", nested], env={**os.environ, **variables}) as worker:
        (flow,) = wait_for(psutil.Process(worker.pid).children)
        assert _workers(wait_for(lambda: len(found := leftovers(folder)) == 2 and found)) == [worker.pid]
        assert end_flows(worker.pid) == 1
        assert not flow.is_running()
    assert end_flows(worker.pid) == end_flows(0) == 0


def test_we_and_our_ancestors_are_not_left_over(folder: Folder, root: Path) -> None:
    code = (
        "from operations.folder import Folder; from operations.leftovers import leftovers\n"
        "print(leftovers(Folder.chosen()))"
    )
    variables = {MARKER: str(folder.path), "FACENET_SERVICES": str(folder.path)}
    nested = ["sh", "-c", f'"{sys.executable}" -c "{code}"; true']
    done = subprocess.run(
        nested, cwd=root, env={**os.environ, **variables}, capture_output=True, text=True, check=True
    )
    assert done.stdout == "[]\n"


def test_the_end_of_a_process_is_awaited_for_some_time(
    processes: dict[str, "subprocess.Popen[bytes]"],
) -> None:
    assert wait_for_end(processes["free"].pid, 0.1) is False
    psutil.Process(processes["free"].pid).kill()
    assert wait_for_end(processes["free"].pid, 60) is True
    assert wait_for_end(999999999, 0.1) is True
