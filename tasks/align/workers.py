"""Run jobs in processes: results in the order of the jobs, few jobs under way, a dead worker replaced."""

import multiprocessing
import os
import signal
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from multiprocessing.connection import wait
from typing import Any, Generic, TypeVar

from facenet.errors import DataInvalid, ParamsInvalid

WORKERS = "FACENET_WORKERS"
ATTEMPTS = 2  # at a job during which a worker dies
_worker: Callable[[Any], Any] | None = None

J = TypeVar("J")
R = TypeVar("R")


def worker_count() -> int:
    """Return the number of processes: FACENET_WORKERS, else the processors that this process may use.

    Raises:
        ParamsInvalid: FACENET_WORKERS is no number from 1.
    """
    text = os.environ.get(WORKERS)
    if text is None:
        return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    if not text.isdigit() or int(text) < 1:
        raise ParamsInvalid(f"{WORKERS} is {text!r}; it must be a number of processes, 1 or more.")
    return int(text)


def run_jobs(
    make_worker: Callable[[], Callable[[J], R]], jobs: Iterable[J], workers: int
) -> Iterator[tuple[J, R]]:
    """Yield each job with its result, in order; at most two jobs a worker are under way.

    `make_worker` is called once in each process and must be picklable. One worker is this process itself.

    Raises:
        DataInvalid: a worker died twice on the same job.
    """
    if workers == 1:
        worker = make_worker()
        yield from ((job, worker(job)) for job in jobs)
        return
    team = _Team(make_worker, workers)
    try:
        for job in jobs:
            team.start(job)
            if len(team) == 2 * workers:
                yield team.finish()
        while len(team):
            yield team.finish()
    finally:
        team.dismiss()


class _Team(Generic[J, R]):
    """Processes with a worker each, replaced all together when one of them dies."""

    def __init__(self, make_worker: Callable[[], Callable[[J], R]], workers: int) -> None:
        self._make_worker, self._workers = make_worker, workers
        self._pool = self._new_pool()
        self._pending: deque[tuple[J, Future[R]]] = deque()
        self._deaths = 0  # during the first pending job

    def __len__(self) -> int:
        return len(self._pending)

    def start(self, job: J) -> None:
        self._pending.append((job, self._submit(job)))

    def finish(self) -> tuple[J, R]:
        """Return the first pending job with its result."""
        while True:
            job, future = self._pending[0]
            try:
                result = future.result()
            except BrokenProcessPool as error:
                self._replace(error)
                continue
            self._pending.popleft()
            self._deaths = 0
            return job, result

    def dismiss(self) -> None:
        self._pool.shutdown(cancel_futures=True)

    def _submit(self, job: J) -> "Future[R]":
        try:
            return self._pool.submit(_work, job)
        except BrokenProcessPool as error:
            broken: Future[R] = Future()
            broken.set_exception(error)
            return broken

    def _replace(self, error: BrokenProcessPool) -> None:
        self._deaths += 1
        if self._deaths == ATTEMPTS:
            raise DataInvalid(
                f"A worker process died {ATTEMPTS} times on {self._pending[0][0]}. If memory ran out, "
                f"set {WORKERS} to a smaller number or lower align.max_side."
            ) from error
        self._pool.shutdown()
        self._pool = self._new_pool()
        self._pending = deque((job, self._submit(job)) for job, _ in self._pending)

    def _new_pool(self) -> ProcessPoolExecutor:
        # Spawned, since a fork would copy threads' locks in whatever state they are.
        context = multiprocessing.get_context("spawn")
        return ProcessPoolExecutor(self._workers, context, initializer=_begin, initargs=(self._make_worker,))


def _begin(make_worker: Callable[[], Callable[[Any], Any]]) -> None:
    """Prepare a process: the parent answers Ctrl-C, and without a parent there is nothing to do."""
    global _worker
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, daemon=True).start()
    _worker = make_worker()


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    assert parent is not None
    wait([parent.sentinel])
    os._exit(1)


def _work(job: Any) -> Any:
    assert _worker is not None
    return _worker(job)
