"""The interface of a team of workers, and the environment variables for their number and location."""

import os
from typing import Protocol, TypeVar

from facenet.cores import cores
from facenet.errors import ParamsInvalid

WORKERS, SCHEDULER = "FACENET_WORKERS", "FACENET_DASK_SCHEDULER"

J_contra = TypeVar("J_contra", contravariant=True)
R_co = TypeVar("R_co", covariant=True)


class WorkerDied(Exception):
    """The process that ran a job has died, possibly because of another job."""


class Team(Protocol[J_contra, R_co]):
    """Workers that run jobs."""

    def limit(self) -> int:
        """Return the number of jobs that keep all workers busy."""

    def start(self, job: J_contra) -> int:
        """Submit a job and return its ticket number."""

    def result(self, ticket: int) -> R_co:
        """Wait for a result; raises WorkerDied."""

    def alone(self, job: J_contra) -> R_co:
        """Run a job while no other job can kill its worker; raises WorkerDied."""

    def dismiss(self) -> None:
        """Cancel unfinished jobs and release the workers."""


def scheduler_address() -> str | None:
    """Return the Dask scheduler's address, FACENET_DASK_SCHEDULER, or None to use this machine."""
    return os.environ.get(SCHEDULER) or None


def worker_count() -> int:
    """Return the number of processes: FACENET_WORKERS, or the number of processors available.

    Raises:
        ParamsInvalid: FACENET_WORKERS is not a positive integer.
    """
    text = os.environ.get(WORKERS)
    if text is None:
        return cores()
    if not text.isdigit() or int(text) < 1:
        raise ParamsInvalid(f"{WORKERS} is {text!r}; it must be a number of processes, 1 or more.")
    return int(text)
