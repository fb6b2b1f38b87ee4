"""Run jobs in worker processes: results in the order of the jobs, few jobs under way, a dead worker replaced.

The processes are those of this machine, or of a Dask cluster if FACENET_DASK_SCHEDULER names its scheduler.
A job is a pure function of what it is given, so neither the number of workers nor their place, nor a job done
twice, changes a result.
"""

import multiprocessing
import os
import signal
import sys
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from multiprocessing import forkserver
from multiprocessing.connection import wait
from typing import Any, Generic, Protocol, TypeVar, cast

from facenet.errors import DataInvalid, ParamsInvalid

WORKERS, SCHEDULER = "FACENET_WORKERS", "FACENET_DASK_SCHEDULER"
BYTES_UNDER_WAY = 128 * 2**20
_make_worker: Callable[[], Callable[[Any], Any]] | None = None
_worker: Callable[[Any], Any] | None = None

J = TypeVar("J")
R = TypeVar("R")
J_contra = TypeVar("J_contra", contravariant=True)
R_co = TypeVar("R_co", covariant=True)


class WorkerDied(Exception):
    """The process that worked on a job is gone, which may be the fault of another job."""


class Team(Protocol[J_contra, R_co]):
    """Workers that jobs are given to."""

    def limit(self) -> int:
        """Return the number of jobs that keep everyone busy."""

    def start(self, job: J_contra) -> int:
        """Give a job to a worker and return the number of its ticket."""

    def result(self, ticket: int) -> R_co:
        """Wait for a result; raises WorkerDied."""

    def alone(self, job: J_contra) -> R_co:
        """Do a job while no other is done that could kill its worker; raises WorkerDied."""

    def dismiss(self) -> None:
        """Drop all that is not finished."""


def scheduler_address() -> str | None:
    """Return the address of the Dask scheduler, FACENET_DASK_SCHEDULER, or None to work on this machine."""
    return os.environ.get(SCHEDULER) or None


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


def preload(module: str) -> None:
    """Begin to import `module`, of a `make_worker`, where the workers of this machine will be forked off.

    A stage does so before its own imports, torch above all, so that both import at the same time. The first
    module counts; a second call does nothing, and so does one if there will be no workers on this machine.
    """
    if _start_method() == "forkserver" and scheduler_address() is None and worker_count() > 1:
        forkserver.set_forkserver_preload([module])
        with _same_path():
            forkserver.ensure_running()


def run_jobs(
    make_worker: Callable[[], Callable[[J], R]],
    jobs: Iterable[J],
    workers: int,
    *,
    split: Callable[[J], Sequence[J]] | None = None,
    name: Callable[[J], str] = str,
    if_killed: Callable[[J], R] | None = None,
    weigh: Callable[[J], int] | None = None,
) -> Iterator[tuple[J, R]]:
    """Yield each job with its result, in order; two jobs a worker are under way, if they are not too large.

    A job during which a worker dies is done once more, alone. If it kills that process too, it is `split`
    and its parts are done one by one; a part that kills again gets the result `if_killed` or ends the run.

    make_worker: called once in each process; picklable. workers: processes; one is this process itself; not
    used with a Dask scheduler. split: the jobs of one item each that a job consists of; results are then
    lists. name: what to call a job in a message. weigh: bytes of a job; 128 MB are under way, or one job.

    Raises:
        DataInvalid: a job kills its workers.
        ClusterFailed: the Dask scheduler cannot be reached, or has no workers.
    """
    address = scheduler_address()
    if address is None and workers == 1:
        worker = make_worker()
        yield from ((job, worker(job)) for job in jobs)
        return
    team = _cluster(address, make_worker, name) if address else _Processes(make_worker, workers)
    pending: deque[tuple[J, int]] = deque()

    def finish() -> tuple[J, R]:
        job, ticket = pending.popleft()
        try:
            return job, team.result(ticket)
        except WorkerDied:
            return job, _apart(team, job, split, name, if_killed)

    try:
        for job in jobs:
            pending.append((job, team.start(job)))
            while len(pending) >= team.limit() or (len(pending) > 1 and _too_heavy(pending, weigh)):
                yield finish()
        while pending:
            yield finish()
    finally:
        team.dismiss()


def _start_method() -> str:
    """Return how workers start: by a fork of a process without threads, whose locks a fork would copy."""
    return "forkserver" if "forkserver" in multiprocessing.get_all_start_methods() else "spawn"


@contextmanager
def _same_path() -> Iterator[None]:
    """Let a process that is started import from where this one does: of itself it looks in the folder first."""
    wanted = {"PYTHONPATH": os.pathsep.join(sys.path), "PYTHONSAFEPATH": "1"}
    before = {name: os.environ.get(name) for name in wanted}
    os.environ.update(wanted)
    try:
        yield
    finally:
        for name, value in before.items():
            os.environ.pop(name) if value is None else os.environ.update({name: value})


def _too_heavy(pending: Iterable[tuple[J, int]], weigh: Callable[[J], int] | None) -> bool:
    return weigh is not None and sum(weigh(job) for job, _ in pending) > BYTES_UNDER_WAY


def _apart(
    team: Team[J, R],
    job: J,
    split: Callable[[J], Sequence[J]] | None,
    name: Callable[[J], str],
    if_killed: Callable[[J], R] | None,
) -> R:
    """Return the result of a job whose worker died, part by part if it is to blame."""
    try:
        return team.alone(job)
    except WorkerDied as death:
        parts = split(job) if split else []
        if len(parts) > 1:
            results: list[Any] = [_apart(team, part, split, name, if_killed) for part in parts]
            return cast(R, [item for result in results for item in result])
        if if_killed:
            return if_killed(job)
        raise DataInvalid(
            f"A worker process died 2 times on {name(job)}. If memory ran out, set {WORKERS} to a smaller "
            "number, or give each worker of the cluster more memory."
        ) from death


def _cluster(
    address: str, make_worker: Callable[[], Callable[[J], R]], name: Callable[[J], str]
) -> Team[J, R]:
    from tasks.cluster import Cluster  # Dask is an extra, and takes a second to import

    return Cluster(address, make_worker, name)


class _Processes(Generic[J, R]):
    """Processes of this machine, replaced all together when one of them dies."""

    def __init__(self, make_worker: Callable[[], Callable[[J], R]], workers: int) -> None:
        self._make_worker, self._workers = make_worker, workers
        preload(getattr(make_worker, "func", make_worker).__module__)
        self._pool = self._new_pool(workers)
        self._cell: ProcessPoolExecutor | None = None  # of one process, for jobs that may kill it
        self._futures: dict[int, Future[R]] = {}
        self._tickets = 0

    def limit(self) -> int:
        return 2 * self._workers

    def start(self, job: J) -> int:
        try:
            future = self._pool.submit(_work, job)
        except BrokenProcessPool:
            self._pool.shutdown()
            self._pool = self._new_pool(self._workers)
            future = self._pool.submit(_work, job)
        self._tickets += 1
        self._futures[self._tickets] = future
        return self._tickets

    def result(self, ticket: int) -> R:
        try:
            return self._futures.pop(ticket).result()
        except BrokenProcessPool as error:
            raise WorkerDied from error

    def alone(self, job: J) -> R:
        self._cell = self._cell or self._new_pool(1)
        try:
            return cast(R, self._cell.submit(_work, job).result())
        except BrokenProcessPool as error:
            self._cell.shutdown()
            self._cell = None
            raise WorkerDied from error

    def dismiss(self) -> None:
        self._pool.shutdown(cancel_futures=True)
        if self._cell:
            self._cell.shutdown()

    def _new_pool(self, workers: int) -> ProcessPoolExecutor:
        context = multiprocessing.get_context(_start_method())
        return ProcessPoolExecutor(workers, context, initializer=_begin, initargs=(self._make_worker,))


def _begin(make_worker: Callable[[], Callable[[Any], Any]]) -> None:
    """Prepare a process: the parent answers Ctrl-C, and without a parent there is nothing to do."""
    global _make_worker
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, daemon=True).start()
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
