"""The interface of a team of workers, and the environment that sets their number and place."""

import os
from typing import Protocol, TypeVar

from facenet.errors import ParamsInvalid

WORKERS, SCHEDULER = "FACENET_WORKERS", "FACENET_DASK_SCHEDULER"

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
