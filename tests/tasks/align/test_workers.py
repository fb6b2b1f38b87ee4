import os
import signal
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from facenet.errors import DataInvalid, ParamsInvalid
from tasks.align.workers import run_jobs, worker_count


def make_squarer() -> Callable[[int], int]:
    return square


def square(number: int) -> int:
    return number * number


def make_mortal(folder: Path, lives: int) -> Callable[[int], int]:
    return partial(die_at_five, folder, lives)


def die_at_five(folder: Path, lives: int, number: int) -> int:
    if number == 5 and len(list(folder.iterdir())) < lives:
        (folder / str(os.getpid())).touch()
        os.kill(os.getpid(), signal.SIGKILL)
    return square(number)


@pytest.mark.parametrize("workers", [1, 2])
def test_results_come_in_the_order_of_the_jobs(workers: int) -> None:
    assert list(run_jobs(make_squarer, range(20), workers)) == [(n, n * n) for n in range(20)]


def test_few_jobs_are_under_way() -> None:
    taken = 0

    def jobs():  # type: ignore[no-untyped-def]  # a counting generator
        nonlocal taken
        for number in range(50):
            taken += 1
            yield number

    results = run_jobs(make_squarer, jobs(), 2)
    next(results)
    assert taken == 4
    results.close()  # type: ignore[attr-defined]  # it is a generator


def test_a_dead_worker_is_replaced(tmp_path: Path) -> None:
    results = run_jobs(partial(make_mortal, tmp_path, 1), range(12), 2)
    assert list(results) == [(n, n * n) for n in range(12)]


def test_a_job_that_kills_twice_is_named(tmp_path: Path) -> None:
    with pytest.raises(DataInvalid, match=r"died 2 times on 5.*FACENET_WORKERS"):
        list(run_jobs(partial(make_mortal, tmp_path, 99), range(12), 2))


def test_worker_count(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FACENET_WORKERS", "3")
    assert worker_count() == 3
    monkeypatch.delenv("FACENET_WORKERS")
    assert worker_count() >= 1
    monkeypatch.setenv("FACENET_WORKERS", "many")
    with pytest.raises(ParamsInvalid, match="FACENET_WORKERS is 'many'"):
        worker_count()
