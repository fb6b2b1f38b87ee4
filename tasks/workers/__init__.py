"""Run jobs in worker processes: ordered results, few jobs in progress, dead workers replaced.

The processes run on this machine, or on a Dask cluster if FACENET_DASK_SCHEDULER names its scheduler. A job
is a pure function of its input, so the number and location of workers, or running a job twice, do not change
a result.
"""

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, TypeVar, cast

from facenet.errors import DataInvalid
from tasks.workers.processes import ProcessTeam
from tasks.workers.team import WORKERS, Team, WorkerDied, scheduler_address

BYTES_UNDER_WAY = 128 * 2**20

J = TypeVar("J")
R = TypeVar("R")


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
    """Yield each job with its result, in order; up to two jobs per worker are in progress.

    A job whose worker dies is run again, alone. If it kills that process too, it is `split` and its parts are
    run one by one; a part that kills its worker again gets the result `if_killed` or ends the run.

    make_worker: called once in each process; picklable. workers: number of processes; 1 means this process;
    ignored with a Dask scheduler. split: returns the single-item jobs of a job; results must then be lists.
    name: describes a job in messages. weigh: bytes of a job; limits jobs in progress to 128 MB, or one job.

    Raises:
        DataInvalid: a job kills its workers.
        ClusterFailed: the Dask scheduler cannot be reached or has no workers.
    """
    address = scheduler_address()
    if address is None and workers == 1:
        worker = make_worker()
        yield from ((job, worker(job)) for job in jobs)
        return
    team = _cluster(address, make_worker, name) if address else ProcessTeam(make_worker, workers)
    pending: deque[tuple[J, int]] = deque()

    def finish() -> tuple[J, R]:
        """Return the oldest job in progress with its result."""
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
    """Return the result of a job whose worker died, part by part if the job caused it."""
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
            f"A worker process died twice on {name(job)}. If memory ran out, set {WORKERS} to a smaller "
            "number, or give each cluster worker more memory."
        ) from death


def _cluster(
    address: str, make_worker: Callable[[], Callable[[J], R]], name: Callable[[J], str]
) -> Team[J, R]:
    from tasks.workers.cluster import Cluster  # Dask is an extra and takes a second to import

    return Cluster(address, make_worker, name)
