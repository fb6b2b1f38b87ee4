"""Worker processes on this machine, forked from a server without threads, whose locks a fork would copy.

The server is spawned once and imports what the workers need. Where fork is missing, and on macOS, whose
system libraries do not survive it, workers are spawned instead.
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
    """Start importing modules in the server that workers are forked from; return whether there will be any.

    A stage calls this before its own imports, torch in particular, so that both import at the same time. Only
    the first call has an effect, and none if there will be no workers on this machine.
    """
    needed = _start_method() == "forkserver" and scheduler_address() is None and worker_count() > 1
    if needed:
        forkserver.set_forkserver_preload(list(modules))
        with _same_path():
            forkserver.ensure_running()
    return needed


@contextmanager
def begin(call: Callable[[], R], *, in_worker: bool) -> Iterator[Callable[[], R]]:
    """Yield a function that waits for the result of a call, which starts at once in a worker process.

    Without `in_worker`, the call runs in this process when its result is requested.
    """
    if not in_worker:
        yield call
        return
    with _new_pool(1) as pool:
        yield pool.submit(call).result


class ProcessTeam(Generic[J, R]):
    """Worker processes on this machine, all replaced when one of them dies."""

    def __init__(self, make_worker: Callable[[], Callable[[J], R]], workers: int) -> None:
        self._make_worker, self._workers = make_worker, workers
        preload(getattr(make_worker, "func", make_worker).__module__)
        self._pool = _new_pool(workers, make_worker)
        self._cell: ProcessPoolExecutor | None = None  # one process, for jobs that may kill it
        self._futures: dict[int, Future[R]] = {}
        self._tickets = 0

    def limit(self) -> int:
        """Return the number of jobs that keep all workers busy."""
        return 2 * self._workers

    def start(self, job: J) -> int:
        """Submit a job and return its ticket number."""
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
        """Run a job in a separate process; raises WorkerDied."""
        self._cell = self._cell or _new_pool(1, self._make_worker)
        try:
            return cast(R, self._cell.submit(_work, job).result())
        except BrokenProcessPool as error:
            self._cell.shutdown()
            self._cell = None
            raise WorkerDied from error

    def dismiss(self) -> None:
        """Cancel unfinished jobs and end the processes."""
        self._pool.shutdown(cancel_futures=True)
        if self._cell:
            self._cell.shutdown()


def _start_method() -> str:
    return "forkserver" if sys.platform == "linux" else "spawn"


@contextmanager
def _same_path() -> Iterator[None]:
    """Make a new process import from the same places as this one; by default it looks in its folder first."""
    variables = {"PYTHONPATH": os.pathsep.join(sys.path), "PYTHONSAFEPATH": "1"}
    before = {name: os.environ.get(name) for name in variables}
    os.environ.update(variables)
    try:
        yield
    finally:
        for name, value in before.items():
            os.environ.pop(name) if value is None else os.environ.update({name: value})


def _new_pool(
    workers: int, make_worker: Callable[[], Callable[[Any], Any]] | None = None
) -> ProcessPoolExecutor:
    """Return processes with the current environment and working folder of this one."""
    context = multiprocessing.get_context(_start_method())
    state = (dict(os.environ), Path.cwd(), make_worker)
    return ProcessPoolExecutor(workers, context, initializer=_begin, initargs=state)


def _begin(
    environment: dict[str, str], folder: Path, make_worker: Callable[[], Callable[[Any], Any]] | None
) -> None:
    """Prepare a process: leave Ctrl-C to the parent, and exit when the parent is gone."""
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
