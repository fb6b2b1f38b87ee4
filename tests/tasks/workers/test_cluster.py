"""A real scheduler and two workers on loopback; no result depends on what happens to them."""

import os
import signal
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from facenet.errors import DataInvalid
from tasks.ingest.inspection import judge_all
from tasks.workers import cluster, run_jobs
from tasks.workers.cluster import ClusterFailed
from tasks.workers.team import SCHEDULER
from tests.tasks.dask_processes import DaskProcesses
from tests.waiting import wait_for

pytestmark = [pytest.mark.server, pytest.mark.slow]
JOBS = [[2 * n, 2 * n + 1] for n in range(16)]
SQUARES = [(job, [n * n for n in job]) for job in JOBS]


def make_squarer(folder: Path, killers: dict[int, int]) -> Callable[[list[int]], list[int]]:
    return partial(square, folder, killers)


def square(folder: Path, killers: dict[int, int], numbers: list[int]) -> list[int]:
    """Square after a delay; die at some numbers, each as often as `killers` says; 99 reads a missing file."""
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


def test_deaths_errors_and_restarts(
    dask_processes: DaskProcesses, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One cluster for all checks, since starting it takes longest."""
    assert list(run_jobs(partial(make_squarer, tmp_path, {}), JOBS, 1)) == SQUARES
    wait_for(lambda: len(dask_processes.working()) == 2)

    assert list(run_jobs(partial(make_squarer, tmp_path, {5: 1}), JOBS, 1)) == SQUARES
    assert len(list(tmp_path.glob("5-*"))) == 1

    deadly = partial(make_squarer, tmp_path, {8: 99})
    found = list(run_jobs(deadly, JOBS, 1, split=singles, if_killed=lambda _: [-1]))
    assert found == [(job, [-1 if n == 8 else n * n for n in job]) for job in JOBS]
    with pytest.raises(DataInvalid, match=r"died twice on number 8\b"):
        list(run_jobs(deadly, [[8, 9]], 1, split=singles, name=lambda job: f"number {job[0]}"))
    with pytest.raises(DataInvalid, match=r"failed twice on \[98, 99\]: .*missing"):
        list(run_jobs(partial(make_squarer, tmp_path, {}), [[98, 99]], 1))

    files = [(n, b"x" * (n % 5)) for n in range(600)]
    judged = list(judge_all(length, files, workers=1, if_killed=-1))
    assert judged == [(n, data, len(data)) for n, data in files]

    results = run_jobs(partial(make_squarer, tmp_path, {}), JOBS, 1)
    first = next(results)
    dask_processes.kill_scheduler()
    dask_processes.restart()
    assert [first, *results] == SQUARES

    results = run_jobs(partial(make_squarer, tmp_path, {}), JOBS, 1)
    next(results)
    dask_processes.kill_scheduler()
    monkeypatch.setattr(cluster, "PATIENCE", 2.0)
    with pytest.raises(ClusterFailed, match=rf"no Dask scheduler at {dask_processes.address}"):
        list(results)


def test_no_scheduler_and_no_workers(tmp_path: Path, root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cluster, "PATIENCE", 1.0)
    monkeypatch.setenv(SCHEDULER, "tcp://127.0.0.1:1")
    with pytest.raises(ClusterFailed, match=r"no Dask scheduler at tcp://127.0.0.1:1.*dask scheduler"):
        list(run_jobs(partial(make_squarer, tmp_path, {}), JOBS, 1))


def test_a_worker_with_other_code_refuses_the_job(tmp_path: Path) -> None:
    with pytest.raises(DataInvalid, match="other code"):
        cluster._work("key", partial(make_squarer, tmp_path, {}), "another version", [1])
    assert cluster._work("key", partial(make_squarer, tmp_path, {}), cluster.code_version(), [3]) == [9]
