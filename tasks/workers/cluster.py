"""Jobs on the workers of a Dask cluster, as tasks/workers.py runs them on the processes of one machine.

The workers need this code, the same libraries and the same data under the same paths. A job that fails is
done once more, one whose worker dies as often as the scheduler allows. When the scheduler is gone, the jobs
under way are given to the one that takes its place at the same address, if it comes in time.
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

PATIENCE = 60.0  # seconds for a scheduler or its first worker to come (back)
ATTEMPT = 5.0  # seconds of it for one try
POLL = 2.0  # seconds between looks whether the scheduler is still there
RETURNS = 3  # of the scheduler without a result in between
CODE = ("facenet", "tasks")
LIBRARIES = ("numpy", "openvino", "pillow", "torch", "pyarrow")
_here = threading.local()  # each thread has a worker of its own: no worker has to bear two jobs at once

J = TypeVar("J")
R = TypeVar("R")


class ClusterFailed(FaceNetError):
    """The Dask scheduler cannot be reached, or nobody works for it."""


class _SchedulerGone(Exception):
    """The connection is lost, and with it all that was asked for."""


class Cluster(Generic[J, R]):
    """The workers of one scheduler.

    Raises:
        ClusterFailed: `distributed` is not installed, or there is no scheduler or no worker in time.
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
        """Return two jobs for each thread of the workers there are now."""
        try:
            return max(2, 2 * self._threads())
        except _SchedulerGone:
            return max(2, len(self._jobs))  # `result` deals with it

    def start(self, job: J) -> int:
        """Give a job to the scheduler."""
        self._tickets += 1
        self._jobs[self._tickets] = job
        self._futures[self._tickets] = self._submit(job)
        return self._tickets

    def result(self, ticket: int) -> R:
        """Wait for a result, beyond a restart of the scheduler."""
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
        """Do a job when all others are done or have failed."""
        for ticket in self._futures:
            try:
                self._wait_until_done(self._futures[ticket])
            except _SchedulerGone:
                break  # and with it all that was under way
        return self.result(self.start(job))

    def dismiss(self) -> None:
        """Drop all that is not finished, and leave."""
        if self._client.status == "running":
            self._client.cancel(list(self._futures.values()), force=True)
        self._client.close()

    def _wait_for(self, ticket: int) -> R:
        """Return the result of a job, or raise what ended it."""
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
        """Return when a job is done or has failed, and raise when nobody is there to do it."""
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
        """Give everything that is under way to the scheduler that came back."""
        if self._losses > RETURNS:
            raise ClusterFailed(
                f"The Dask scheduler at {self._address} went away {self._losses} times without a result in "
                "between. See its log."
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
        """Return a client; its own way to try for long is to look ever more seldom."""
        until = time.monotonic() + PATIENCE
        while True:
            try:
                return make_client(self._address, timeout=min(ATTEMPT, PATIENCE), set_as_default=False)
            except (OSError, ValueError, TimeoutError) as error:
                if time.monotonic() > until or isinstance(error, ValueError):
                    raise ClusterFailed(
                        f"There is no Dask scheduler at {self._address} ({error}). Start it with `dask "
                        f"scheduler` and run the stage again, or unset {SCHEDULER} to work on this machine."
                    ) from error

    def _no_workers(self) -> ClusterFailed:
        return ClusterFailed(
            f"Nobody has worked for the Dask scheduler at {self._address} for {PATIENCE:g} s. Start workers "
            f"with `dask worker {self._address} --nthreads 1`."
        )


def code_version() -> str:
    """Return a digest of all code of ours and of the libraries that decide the bytes of a result."""
    return code_digest(CODE, LIBRARIES)


def _work(key: str, make_worker: Callable[[], Callable[[J], R]], expected: str, job: J) -> R:
    """Do a job with the worker of this thread, which is made once."""
    if getattr(_here, "key", None) != key:
        if code_version() != expected:
            raise DataInvalid(
                f"The Dask worker on {platform.node()} has other code or libraries than the caller: its "
                "results could differ. Install the same commit and requirements.lock, and restart it."
            )
        _here.worker, _here.key = make_worker(), key
    result: R = _here.worker(job)
    return result
