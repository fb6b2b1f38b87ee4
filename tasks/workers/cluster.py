"""Run jobs on the workers of a Dask cluster, as tasks.workers.processes does on one machine.

The workers need the same code, libraries and data under the same paths. A job that fails is retried once; one
whose worker dies, as often as the scheduler allows. If the scheduler goes away, the jobs in progress are
resubmitted to its replacement at the same address, if it comes up in time.
"""

import hashlib
import pickle
import platform
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Generic, TypeVar

from facenet.digests import code_digest
from facenet.errors import DataInvalid, FaceNetError
from tasks.workers.team import SCHEDULER, WorkerDied

PATIENCE = 60.0  # seconds to wait for a scheduler or its first worker to come (back) up
ATTEMPT = 5.0  # seconds per connection attempt
POLL = 2.0  # seconds between checks that the scheduler is still up
RETURNS = 3  # reconnections allowed without a result in between
CODE = ("facenet", "tasks")
LIBRARIES = ("numpy", "openvino", "pillow", "torch", "pyarrow")
_here = threading.local()  # one worker per thread: workers need not be thread-safe

J = TypeVar("J")
R = TypeVar("R")


class ClusterFailed(FaceNetError):
    """The Dask scheduler cannot be reached or has no workers."""


class _SchedulerGone(Exception):
    """The connection is lost, and with it all submitted jobs."""


class Cluster(Generic[J, R]):
    """The workers of one scheduler.

    Raises:
        ClusterFailed: `distributed` is not installed, or no scheduler or worker came up in time.
    """

    def __init__(
        self, address: str, make_worker: Callable[[], Callable[[J], R]], name: Callable[[J], str]
    ) -> None:
        self._address, self._name = address, name
        pickled = pickle.dumps(make_worker)
        self._order = (hashlib.sha256(pickled).hexdigest(), make_worker, code_version())
        self._client = self._connect()
        self._jobs: dict[int, J] = {}
        self._futures: dict[int, Any] = {}
        self._tickets = self._losses = 0

    def limit(self) -> int:
        """Return two jobs per thread of the current workers."""
        try:
            return max(2, 2 * self._threads())
        except _SchedulerGone:
            return max(2, len(self._jobs))  # `result` handles it

    def start(self, job: J) -> int:
        """Submit a job to the scheduler."""
        self._tickets += 1
        self._jobs[self._tickets] = job
        self._futures[self._tickets] = self._submit(job)
        return self._tickets

    def result(self, ticket: int) -> R:
        """Wait for a result, surviving scheduler restarts."""
        while True:
            try:
                result: R = self._wait_for(ticket)
            except _SchedulerGone as error:
                self._losses += 1
                self._start_again(error)
                continue
            except BaseException:
                del self._jobs[ticket], self._futures[ticket]
                raise
            del self._jobs[ticket], self._futures[ticket]
            self._losses = 0
            return result

    def alone(self, job: J) -> R:
        """Run a job after all others are done or have failed."""
        for ticket in self._futures:
            try:
                self._wait_until_done(self._futures[ticket])
            except _SchedulerGone:
                break  # and with it all jobs in progress
        return self.result(self.start(job))

    def dismiss(self) -> None:
        """Cancel unfinished jobs and disconnect."""
        if self._client.status == "running":
            self._client.cancel(list(self._futures.values()), force=True)
        self._client.close()

    def _wait_for(self, ticket: int) -> R:
        """Return the result of a job, or raise the error that ended it."""
        from distributed import CancelledError, KilledWorker
        from distributed.comm import CommClosedError

        self._wait_until_done(self._futures[ticket])
        try:
            result: R = self._futures[ticket].result()
        except KilledWorker as error:
            raise WorkerDied from error
        except (CancelledError, CommClosedError) as error:
            raise _SchedulerGone from error
        except OSError as error:
            raise DataInvalid(
                f"A worker of {self._address} failed twice on {self._name(self._jobs[ticket])}: {error}. "
                "Every machine needs the workspace under the same path; see docs/how-to/many-machines.md."
            ) from error
        except Exception as error:
            error.add_note(f"This happened twice on {self._name(self._jobs[ticket])}.")
            raise
        return result

    def _wait_until_done(self, future: Any) -> None:
        """Return when a job is done or has failed; raise if there are no workers to run it."""
        idle_since: float | None = None
        while not self._done([future]):
            idle_since = None if self._threads() else idle_since or time.monotonic()
            if idle_since and time.monotonic() - idle_since > PATIENCE:
                raise self._no_workers()

    def _done(self, futures: Sequence[Any]) -> bool:
        from distributed import CancelledError, wait

        with self._client.as_current():
            try:
                wait(futures, timeout=POLL)
            except TimeoutError:
                return False
            except CancelledError as error:
                raise _SchedulerGone from error
        return True

    def _threads(self) -> int:
        from distributed.comm import CommClosedError

        if self._client.status != "running":
            raise _SchedulerGone
        try:
            threads: Mapping[str, int] = self._client.nthreads()
        except (OSError, CommClosedError, TimeoutError) as error:
            raise _SchedulerGone from error
        return sum(threads.values())

    def _submit(self, job: J) -> Any:
        return self._client.submit(_work, *self._order, job, pure=False, retries=1)

    def _start_again(self, error: _SchedulerGone) -> None:
        """Resubmit all jobs in progress to the scheduler that came back."""
        if self._losses > RETURNS:
            raise ClusterFailed(
                f"The Dask scheduler at {self._address} went down {self._losses} times without completing a "
                "job. See its log."
            ) from error
        self._client.close()
        self._client = self._connect()
        self._futures = {ticket: self._submit(job) for ticket, job in self._jobs.items()}

    def _connect(self) -> Any:
        try:
            from distributed import Client
        except ImportError as error:
            raise ClusterFailed(
                f"{SCHEDULER} is set, but Dask is not installed: `pip install 'facenet-pipeline[cluster]'`."
            ) from error
        client = self._reach(Client)
        try:
            client.wait_for_workers(1, timeout=PATIENCE)
        except (OSError, TimeoutError) as error:
            client.close()
            raise self._no_workers() from error
        return client

    def _reach(self, make_client: Callable[..., Any]) -> Any:
        """Return a client; retries here because its own backoff becomes too slow."""
        until = time.monotonic() + PATIENCE
        while True:
            try:
                return make_client(self._address, timeout=min(ATTEMPT, PATIENCE), set_as_default=False)
            except (OSError, ValueError, TimeoutError) as error:
                if time.monotonic() > until or isinstance(error, ValueError):
                    raise ClusterFailed(
                        f"There is no Dask scheduler at {self._address} ({error}). Start one with `dask "
                        f"scheduler` and run the stage again, or unset {SCHEDULER} to use this machine."
                    ) from error

    def _no_workers(self) -> ClusterFailed:
        return ClusterFailed(
            f"The Dask scheduler at {self._address} has had no workers for {PATIENCE:g} s. Start some with "
            f"`dask worker {self._address} --nthreads 1`."
        )


def code_version() -> str:
    """Return a digest of our code and of the libraries that determine the bytes of a result."""
    return code_digest(CODE, LIBRARIES)


def _work(key: str, make_worker: Callable[[], Callable[[J], R]], expected: str, job: J) -> R:
    """Run a job with this thread's worker, which is created once."""
    if getattr(_here, "key", None) != key:
        if code_version() != expected:
            raise DataInvalid(
                f"The Dask worker on {platform.node()} has other code or libraries than the caller, so its "
                "results could differ. Install the same commit and requirements.lock and restart it."
            )
        _here.worker, _here.key = make_worker(), key
    result: R = _here.worker(job)
    return result
