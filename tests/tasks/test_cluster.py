"""A real scheduler and two worker processes on loopback; no result depends on what happens to them."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import psutil
import pytest

from facenet.errors import DataInvalid
from tasks import cluster
from tasks.cluster import ClusterFailed
from tasks.ingest.judging import judge_all
from tasks.workers import SCHEDULER, run_jobs

pytestmark = [pytest.mark.server, pytest.mark.slow]
JOBS = [[2 * n, 2 * n + 1] for n in range(16)]
SQUARES = [(job, [n * n for n in job]) for job in JOBS]


def make_squarer(folder: Path, killers: dict[int, int]) -> Callable[[list[int]], list[int]]:
    return partial(square, folder, killers)


def square(folder: Path, killers: dict[int, int], numbers: list[int]) -> list[int]:
    """Square, after a moment; die at some numbers, each so many times; 99 wants a file that is not there."""
    for number in numbers:
        time.sleep(0.02)
        if len(list(folder.glob(f"{number}-*"))) < killers.get(number, 0):
            (folder / f"{number}-{time.monotonic_ns()}").touch()
            os.kill(os.getpid(), signal.SIGKILL)
        if number == 99:
            (folder / "missing").read_bytes()
    return [number * number for number in numbers]


def singles(numbers: list[int]) -> list[list[int]]:
    return [[number] for number in numbers]


def length(data: bytes) -> int:
    return len(data)


class Processes:
    """A scheduler and workers as `dask scheduler` and `dask worker` start them."""

    def __init__(self, folder: Path, root: Path) -> None:
        self._folder, self._root = folder, root
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.address = f"tcp://127.0.0.1:{free.getsockname()[1]}"
        self.scheduler = self.start_scheduler()
        self.workers = [
            self._start("worker", self.address, "--nthreads", "1", "--no-dashboard") for _ in range(2)
        ]

    def start_scheduler(self) -> "subprocess.Popen[bytes]":
        port = self.address.rsplit(":", 1)[1]
        self.scheduler = self._start("scheduler", "--host", "127.0.0.1", "--port", port, "--no-dashboard")
        return self.scheduler

    def _start(self, *arguments: str) -> "subprocess.Popen[bytes]":
        environment = {
            **os.environ,
            "PYTHONPATH": str(self._root),
            "OMP_NUM_THREADS": "1",
            "DASK_DISTRIBUTED__SCHEDULER__ALLOWED_FAILURES": "1",
            "DASK_DISTRIBUTED__WORKER__MEMORY__TERMINATE": "False",
        }
        environment.pop(SCHEDULER, None)
        with (self._folder / f"{arguments[0]}.log").open("ab") as log:
            return subprocess.Popen(
                [sys.executable, "-m", "dask", *arguments],
                cwd=self._folder,
                env=environment,
                stdout=log,
                stderr=log,
            )

    def working(self) -> list[psutil.Process]:
        """Return the processes that do the jobs: children of the nannies, which replace them."""
        children = [c for nanny in self.workers for c in psutil.Process(nanny.pid).children(recursive=True)]
        return [child for child in children if "spawn_main" in " ".join(child.cmdline())]

    def end(self) -> None:
        for process in [*self.workers, self.scheduler]:
            for child in (
                psutil.Process(process.pid).children(recursive=True) if process.poll() is None else []
            ):
                child.kill()
            process.kill()
            process.wait()


@pytest.fixture
def processes(
    tmp_path_factory: pytest.TempPathFactory, root: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Processes]:
    started = Processes(tmp_path_factory.mktemp("dask"), root)
    monkeypatch.setenv(SCHEDULER, started.address)
    monkeypatch.setattr(cluster, "PATIENCE", 180.0)  # a busy machine
    try:
        yield started
    finally:
        started.end()


def test_deaths_errors_and_restarts(
    processes: Processes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One cluster for all: to start it takes longer than any of this."""
    assert list(run_jobs(partial(make_squarer, tmp_path, {}), JOBS, 1)) == SQUARES
    assert len(processes.working()) == 2

    assert list(run_jobs(partial(make_squarer, tmp_path, {5: 1}), JOBS, 1)) == SQUARES
    assert len(list(tmp_path.glob("5-*"))) == 1

    deadly = partial(make_squarer, tmp_path, {8: 99})
    found = list(run_jobs(deadly, JOBS, 1, split=singles, if_killed=lambda _: [-1]))
    assert found == [(job, [-1 if n == 8 else n * n for n in job]) for job in JOBS]
    with pytest.raises(DataInvalid, match=r"died 2 times on number 8\b"):
        list(run_jobs(deadly, [[8, 9]], 1, split=singles, name=lambda job: f"number {job[0]}"))
    with pytest.raises(DataInvalid, match=r"failed twice on \[98, 99\]: .*missing"):
        list(run_jobs(partial(make_squarer, tmp_path, {}), [[98, 99]], 1))

    files = [(n, b"x" * (n % 5)) for n in range(600)]
    judged = list(judge_all(length, files, workers=1, if_killed=-1))
    assert judged == [(n, data, len(data)) for n, data in files]

    results = run_jobs(partial(make_squarer, tmp_path, {}), JOBS, 1)
    first = next(results)
    processes.scheduler.kill()
    processes.scheduler.wait()
    processes.start_scheduler()
    assert [first, *results] == SQUARES

    results = run_jobs(partial(make_squarer, tmp_path, {}), JOBS, 1)
    next(results)
    processes.scheduler.kill()
    processes.scheduler.wait()
    monkeypatch.setattr(cluster, "PATIENCE", 2.0)
    with pytest.raises(ClusterFailed, match=rf"no Dask scheduler at {processes.address}"):
        list(results)


def test_no_scheduler_and_no_workers(tmp_path: Path, root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cluster, "PATIENCE", 1.0)
    monkeypatch.setenv(SCHEDULER, "tcp://127.0.0.1:1")
    with pytest.raises(ClusterFailed, match=r"no Dask scheduler at tcp://127.0.0.1:1.*dask scheduler"):
        list(run_jobs(partial(make_squarer, tmp_path, {}), JOBS, 1))


def test_a_worker_with_other_code_refuses(tmp_path: Path) -> None:
    with pytest.raises(DataInvalid, match="other code"):
        cluster._work("key", partial(make_squarer, tmp_path, {}), "another version", [1])
    assert cluster._work("key", partial(make_squarer, tmp_path, {}), cluster.code_version(), [3]) == [9]
