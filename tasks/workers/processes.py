"""Processes of this machine: forked off a server that has no threads, whose locks a fork would copy.

The server is spawned once, and imports for all of them what they need. They are spawned themselves where
there is no fork, and on macOS, whose own libraries do not bear one.
"""

import multiprocessing
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from multiprocessing import forkserver
from multiprocessing.connection import wait
from pathlib import Path
from typing import Any, Generic, TypeVar, cast

from tasks.workers.team import WorkerDied, scheduler_address, worker_count

J = TypeVar("J")
R = TypeVar("R")
_make_worker: Callable[[], Callable[[Any], Any]] | None = None
_worker: Callable[[Any], Any] | None = None


def preload(*modules: str) -> bool:
    """Begin to import modules where processes of this machine will be forked off; say whether any will be.

    A stage does so before its own imports, torch above all, so that both import at the same time. The first
    call counts; a later one imports nothing, and so does one if there will be no workers on this machine.
    """
    wanted = _start_method() == "forkserver" and scheduler_address() is None and worker_count() > 1
    if wanted:
        forkserver.set_forkserver_preload(list(modules))
        with _same_path():
            forkserver.ensure_running()
    return wanted


@contextmanager
def begin(call: Callable[[], R], *, beside: bool) -> Iterator[Callable[[], R]]:
    """Yield what waits for a call's result: one in a process forked off the one of `preload`, begun at once.

    Where that is not wanted, the call is made here, when its result is asked for.
    """
    if not beside:
        yield call
        return
    with _new_pool(1) as pool:
        yield pool.submit(call).result


class ProcessTeam(Generic[J, R]):
    """Processes of this machine, replaced all together when one of them dies."""

    def __init__(self, make_worker: Callable[[], Callable[[J], R]], workers: int) -> None:
        self._make_worker, self._workers = make_worker, workers
        preload(getattr(make_worker, "func", make_worker).__module__)
        self._pool = _new_pool(workers, make_worker)
        self._cell: ProcessPoolExecutor | None = None  # of one process, for jobs that may kill it
        self._futures: dict[int, Future[R]] = {}
        self._tickets = 0

    def limit(self) -> int:
        """Return the number of jobs that keep everyone busy."""
        return 2 * self._workers

    def start(self, job: J) -> int:
        """Give a job to a process and return the number of its ticket."""
        try:
            future = self._pool.submit(_work, job)
        except BrokenProcessPool:
            self._pool.shutdown()
            self._pool = _new_pool(self._workers, self._make_worker)
            future = self._pool.submit(_work, job)
        self._tickets += 1
        self._futures[self._tickets] = future
        return self._tickets

    def result(self, ticket: int) -> R:
        """Wait for a result; raises WorkerDied."""
        try:
            return self._futures.pop(ticket).result()
        except BrokenProcessPool as error:
            raise WorkerDied from error

    def alone(self, job: J) -> R:
        """Do a job in a process of its own; raises WorkerDied."""
        self._cell = self._cell or _new_pool(1, self._make_worker)
        try:
            return cast(R, self._cell.submit(_work, job).result())
        except BrokenProcessPool as error:
            self._cell.shutdown()
            self._cell = None
            raise WorkerDied from error

    def dismiss(self) -> None:
        """Drop all that is not finished."""
        self._pool.shutdown(cancel_futures=True)
        if self._cell:
            self._cell.shutdown()


def _start_method() -> str:
    return "forkserver" if sys.platform == "linux" else "spawn"


@contextmanager
def _same_path() -> Iterator[None]:
    """Let a process that starts import from where this one does: of itself it looks in the folder first."""
    wanted = {"PYTHONPATH": os.pathsep.join(sys.path), "PYTHONSAFEPATH": "1"}
    before = {name: os.environ.get(name) for name in wanted}
    os.environ.update(wanted)
    try:
        yield
    finally:
        for name, value in before.items():
            os.environ.pop(name) if value is None else os.environ.update({name: value})


def _new_pool(
    workers: int, make_worker: Callable[[], Callable[[Any], Any]] | None = None
) -> ProcessPoolExecutor:
    """Return processes with the environment and the folder of this one as they are now."""
    context = multiprocessing.get_context(_start_method())
    state = (dict(os.environ), Path.cwd(), make_worker)
    return ProcessPoolExecutor(workers, context, initializer=_begin, initargs=state)


def _begin(
    environment: dict[str, str], folder: Path, make_worker: Callable[[], Callable[[Any], Any]] | None
) -> None:
    """Prepare a process: the parent answers Ctrl-C, and without a parent there is nothing to do."""
    global _make_worker
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, daemon=True).start()
    os.environ.clear()
    os.environ.update(environment)
    os.chdir(folder)
    _make_worker = make_worker


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    assert parent is not None
    wait([parent.sentinel])
    os._exit(1)


def _work(job: Any) -> Any:
    global _worker
    if _worker is None:
        assert _make_worker is not None
        _worker = _make_worker()  # not in _begin, where its error would look like a death
    return _worker(job)
