"""Run jobs in worker processes: results in the order of the jobs, few jobs under way, a dead worker replaced.

The processes are those of this machine, or of a Dask cluster if FACENET_DASK_SCHEDULER names its scheduler.
A job is a pure function of what it is given, so neither the number of workers nor their place, nor a job done
twice, changes a result.
"""

import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, Protocol, TypeVar, cast

from facenet.errors import DataInvalid, ParamsInvalid

WORKERS, SCHEDULER = "FACENET_WORKERS", "FACENET_DASK_SCHEDULER"
BYTES_UNDER_WAY = 128 * 2**20

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
    team = _cluster(address, make_worker, name) if address else _processes(make_worker, workers)
    pending: deque[tuple[J, int]] = deque()

    def finish() -> tuple[J, R]:
        """Return the oldest job under way with its result."""
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


def _processes(make_worker: Callable[[], Callable[[J], R]], workers: int) -> Team[J, R]:
    from tasks.processes import Processes  # which knows this module

    return Processes(make_worker, workers)
