"""A lock that all promoters of a registered model share, on whatever machine they run.

MLflow has no compare-and-set for aliases, but the name of a registered model is unique in its database: of
several requests to create the model NAME.lock one succeeds. Whoever created it has the lock until it deletes
it, which takes seconds.

What this guarantees: of those who use the lock, one at a time is between `registry_lock` and its end, as long
as it needs less than LEASE_SECONDS. After a crash the lock is taken over: at once if the dead process was on
this machine, otherwise when the same holder was seen for LEASE_SECONDS (by the clock of the waiting process,
so that clocks need not agree). A holder that was only slow finds out by `check`, which comes before each
alias moves. It does not stop somebody who moves aliases in MLflow's UI, nor a holder that is suspended for
longer than the lease between `check` and the request after it.
"""

import logging
import os
import socket
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import psutil

from tasks.tracking.store import TrackingFailed, client, look_up, mlflow_errors

LEASE_SECONDS = 120.0
POLL_SECONDS = 0.5
WAIT_SECONDS = 600.0
TAKEN = "RESOURCE_ALREADY_EXISTS"

logger = logging.getLogger(__name__)


class LockLost(TrackingFailed):
    """Another process has the lock."""


class RegistryLock:
    """The lock on one registered model, while it is held."""

    def __init__(self, model: str) -> None:
        self.name, self.owner = f"{model}.lock", uuid.uuid4().hex
        self._stale: str | None = None  # the lock that this one took over

    def acquire(self) -> None:
        """Wait for the lock.

        Raises:
            LockLost: others had it for ten minutes.
        """
        begun = time.monotonic()
        seen: dict[str, float] = {}
        while not self._create():
            holder = _tags(self.name)
            owner = holder.get("owner", "")
            since = seen.setdefault(owner, time.monotonic())
            if time.monotonic() - begun > WAIT_SECONDS:
                raise LockLost(f"{self.name} is held by {_describe(holder)}. Delete this model in MLflow.")
            if holder and (_is_dead(holder) or time.monotonic() - since > LEASE_SECONDS):
                self._take_over(owner)  # fails if another process was first, or this user may not
            time.sleep(POLL_SECONDS)

    def check(self) -> None:
        """Check that this process still has the lock.

        Raises:
            LockLost: another process took it over.
        """
        holder = _tags(self.name)
        if holder.get("owner") != self.owner:
            raise LockLost(
                f"{self.name} was taken over by {_describe(holder)}, since this promotion took longer than "
                f"{LEASE_SECONDS:.0f} s. Run it again."
            )

    def release(self) -> None:
        """Delete the lock, unless another process took it over."""
        if _tags(self.name).get("owner") == self.owner:
            with mlflow_errors():
                client().delete_registered_model(self.name)
        if self._stale and _tags(self._stale):
            with mlflow_errors():
                client().delete_registered_model(self._stale)

    def _create(self) -> bool:
        tags = {"owner": self.owner, "host": socket.gethostname(), "pid": str(os.getpid())}
        try:
            with mlflow_errors():
                client().create_registered_model(self.name, tags, "Held while an alias moves.")
        except TrackingFailed as error:
            # The existing model may be gone before MLflow has looked at it.
            if getattr(error.__cause__, "error_code", None) in (TAKEN, "RESOURCE_DOES_NOT_EXIST"):
                return _tags(self.name).get("owner") == self.owner  # a repeated request whose answer was lost
            raise
        return True

    def _take_over(self, owner: str) -> None:
        """Move the lock of a dead owner away: of several who try, one succeeds, as the new name is unique."""
        stale = f"{self.name}.{owner}"
        logger.warning("%s was left by a process that died: it is taken over.", self.name)
        with suppress(TrackingFailed), mlflow_errors():
            client().rename_registered_model(self.name, stale)
            self._stale = stale


@contextmanager
def registry_lock(model: str) -> Iterator[RegistryLock]:
    """Hold the lock on a registered model while the block runs, see the module's docstring.

    Raises:
        LockLost: others had it for ten minutes.
        TrackingFailed: the server cannot be reached or rejected a request.
    """
    lock = RegistryLock(model)
    lock.acquire()
    try:
        yield lock
    finally:
        lock.release()


def _tags(name: str) -> dict[str, str]:
    return look_up(lambda mlflow: dict(mlflow.get_registered_model(name).tags)) or {}


def _is_dead(holder: dict[str, str]) -> bool:
    return holder.get("host") == socket.gethostname() and not psutil.pid_exists(int(holder.get("pid", 0)))


def _describe(holder: dict[str, str]) -> str:
    return f"process {holder['pid']} on {holder['host']}" if holder else "nobody"
