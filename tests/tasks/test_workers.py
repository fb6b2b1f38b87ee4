import multiprocessing
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import psutil
import pytest

from facenet.errors import DataInvalid, ParamsInvalid
from tasks import workers
from tasks.workers import run_jobs


def make_squarer() -> Callable[[list[int]], list[int]]:
    return square


def square(numbers: list[int]) -> list[int]:
    return [number * number for number in numbers]


def make_mortal(folder: Path, killers: dict[int, int]) -> Callable[[list[int]], list[int]]:
    return partial(die, folder, killers)


def die(folder: Path, killers: dict[int, int], numbers: list[int]) -> list[int]:
    """Die at some numbers, each as often as `killers` says."""
    for number in numbers:
        if len(list(folder.glob(f"{number}-*"))) < killers.get(number, 0):
            (folder / f"{number}-{os.getpid()}").touch()
            os.kill(os.getpid(), signal.SIGKILL)
    return square(numbers)


def make_nothing() -> Callable[[list[int]], list[int]]:
    raise ParamsInvalid("a mistake in the settings")


def fail(numbers: list[int]) -> list[int]:
    raise ValueError("a mistake of ours")


def make_failure() -> Callable[[list[int]], list[int]]:
    return fail


def singles(numbers: list[int]) -> list[list[int]]:
    return [[number] for number in numbers]


JOBS = [[3 * n, 3 * n + 1, 3 * n + 2] for n in range(12)]
SQUARES = [(job, square(job)) for job in JOBS]


@pytest.mark.parametrize("count", [1, 2])
def test_results_come_in_the_order_of_the_jobs(count: int) -> None:
    assert list(run_jobs(make_squarer, JOBS, count)) == SQUARES
    assert list(run_jobs(make_squarer, [], count)) == []


def counted(jobs: list[Any], taken: list[Any]) -> Iterator[Any]:
    for job in jobs:
        taken.append(job)
        yield job


def test_few_jobs_are_in_progress() -> None:
    taken: list[Any] = []
    results = run_jobs(make_squarer, counted(JOBS, taken), 2)
    next(results)
    assert len(taken) == 4
    results.close()  # type: ignore[attr-defined]  # it is a generator


def test_few_bytes_are_in_progress_but_always_one_job(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(workers, "BYTES_UNDER_WAY", 10)
    taken: list[Any] = []
    results = run_jobs(make_squarer, counted(JOBS, taken), 3, weigh=lambda _: 50)
    for done, result in enumerate(results, start=1):
        assert result == SQUARES[done - 1]
        assert len(taken) <= done + 1


def test_a_job_whose_worker_died_is_run_again(tmp_path: Path) -> None:
    assert list(run_jobs(partial(make_mortal, tmp_path, {5: 1}), JOBS, 2)) == SQUARES


def test_only_the_job_that_kills_twice_is_named(tmp_path: Path) -> None:
    mortal = partial(make_mortal, tmp_path, {7: 99})
    with pytest.raises(DataInvalid, match=r"died twice on number 7\b.*FACENET_WORKERS"):
        list(run_jobs(mortal, JOBS, 2, split=singles, name=lambda job: f"number {job[0]}"))
    with pytest.raises(DataInvalid, match=r"died twice on \[6, 7, 8\]"):
        list(run_jobs(mortal, JOBS, 2))


def test_a_job_that_kills_can_get_a_substitute_result(tmp_path: Path) -> None:
    mortal = partial(make_mortal, tmp_path, {7: 99, 8: 99})
    results = run_jobs(mortal, JOBS, 2, split=singles, if_killed=lambda _: [-1])
    found = {n: square for job, squares in results for n, square in zip(job, squares, strict=True)}
    assert found == {n: -1 if n in (7, 8) else n * n for n in range(36)}


@pytest.mark.parametrize("count", [1, 2])
def test_an_error_is_not_treated_as_a_death(count: int) -> None:
    with pytest.raises(ValueError, match="a mistake of ours"):
        list(run_jobs(make_failure, JOBS, count, if_killed=lambda _: [-1]))
    with pytest.raises(ParamsInvalid, match="a mistake in the settings"):
        list(run_jobs(make_nothing, JOBS, count, if_killed=lambda _: [-1]))


def test_workers_end_when_the_caller_stops_early() -> None:
    results = run_jobs(make_squarer, JOBS, 2)
    next(results)
    assert len(multiprocessing.active_children()) == 2
    results.close()  # type: ignore[attr-defined]  # it is a generator
    assert multiprocessing.active_children() == []


ORPHANS = """
from tests.tasks.test_workers import make_squarer
from tasks.workers import run_jobs
import time
if __name__ == "__main__":
    results = run_jobs(make_squarer, ([n] for n in range(10**6)), 2)
    next(results)
    print("ready", flush=True)
    time.sleep(600)
"""


def test_no_worker_outlives_a_killed_parent(tmp_path: Path, root: Path) -> None:
    script = tmp_path / "script.py"
    script.write_text(ORPHANS)
    environment = {**os.environ, "PYTHONPATH": str(root)}
    command = [sys.executable, script]
    with subprocess.Popen(command, stdout=subprocess.PIPE, cwd=root, env=environment) as parent:
        assert parent.stdout is not None
        assert parent.stdout.readline() == b"ready\n"
        children = psutil.Process(parent.pid).children(recursive=True)
        assert len(children) >= 2
        parent.kill()
    _, alive = psutil.wait_procs(children, timeout=120)
    assert alive == []
