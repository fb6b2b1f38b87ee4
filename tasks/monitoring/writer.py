"""Write decisions to the log in the background: an answer never waits for the database, nor fails with it."""

import logging
import threading
from collections import deque
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta

from facenet.errors import FaceNetError
from tasks.monitoring.rows import DecisionRow
from tasks.monitoring.store import DecisionStore

LOG = logging.getLogger("facenet.monitoring")
CAPACITY = 10_000  # rows in memory
BATCH = 500  # rows per transaction
PAUSE_SECONDS = 1.0  # rows are collected for so long
RETRY_SECONDS = 10.0  # after a failure
PRUNE_SECONDS = 3600.0


class DecisionLog:
    """A thread that appends rows to a store.

    While the database fails, rows wait in memory; when `capacity` of them wait, further ones are dropped and
    counted. The count is logged, and stored when the database works again.

    Args:
        open_store: opens the log; called in the thread, again after a failure.
        keep_days: older rows are removed, once per hour.
        capacity: rows in memory.
        retry_seconds: after a failure.

    Attributes:
        on_drop: called with the number of rows whenever some are dropped.
    """

    def __init__(
        self,
        open_store: Callable[[], DecisionStore],
        *,
        keep_days: int,
        capacity: int = CAPACITY,
        retry_seconds: float = RETRY_SECONDS,
    ) -> None:
        self._open, self._keep_days, self._capacity = open_store, keep_days, capacity
        self._retry_seconds = retry_seconds
        self.on_drop: Callable[[int], object] = lambda _count: None
        self._waiting: deque[DecisionRow] = deque()
        self._unsaid = 0  # dropped rows that are not in the store yet
        self._lock = threading.Lock()
        self._end = threading.Event()
        self._store: DecisionStore | None = None
        self._pruned: datetime | None = None
        self._complaint = ""
        self._thread = threading.Thread(target=self._run, name="decision log", daemon=True)

    def start(self) -> None:
        """Begin to write."""
        self._thread.start()

    def add(self, rows: Sequence[DecisionRow]) -> None:
        """Take rows to be written; returns at once, and drops what there is no room for."""
        with self._lock:
            taken = rows[: max(0, self._capacity - len(self._waiting))]
            self._waiting.extend(taken)
            lost = len(rows) - len(taken)
            first, self._unsaid = lost and not self._unsaid, self._unsaid + lost
        if lost:
            self.on_drop(lost)
        if first:
            LOG.warning("decisions dropped: the log cannot keep up, or its database fails")

    def close(self) -> None:
        """Write what waits, and end the thread; what cannot be written is counted in a warning."""
        self._end.set()
        if self._thread.is_alive():
            self._thread.join()
        if self._store is not None:
            self._store.close()

    def _run(self) -> None:
        while not self._end.wait(PAUSE_SECONDS if self._write() else self._retry_seconds):
            pass
        self._write()
        if self._waiting or self._unsaid:
            LOG.warning("decisions lost: %d", len(self._waiting) + self._unsaid)

    def _write(self) -> bool:
        """Write all that waits; return whether the database works."""
        try:
            self._prune()
            while batch := self._next():
                self._opened().append(batch)
                with self._lock:
                    for _ in batch:
                        self._waiting.popleft()
            if self._unsaid:
                self._say_dropped()
        except FaceNetError as error:
            self._complain(str(error))
            self._forget_store()
            return False
        except Exception as error:  # noqa: BLE001  # of a driver: the log must outlive it, and answers do not depend on it
            self._complain(type(error).__name__)
            self._forget_store()
            return False
        self._complaint = ""
        return True

    def _next(self) -> list[DecisionRow]:
        with self._lock:
            return [self._waiting[place] for place in range(min(BATCH, len(self._waiting)))]

    def _say_dropped(self) -> None:
        with self._lock:
            count = self._unsaid
        self._opened().append_dropped(count)
        with self._lock:
            self._unsaid -= count

    def _prune(self) -> None:
        now = datetime.now(UTC)
        if self._pruned is None or (now - self._pruned).total_seconds() > PRUNE_SECONDS:
            self._opened().remove_before((now - timedelta(days=self._keep_days)).date())
            self._pruned = now

    def _opened(self) -> DecisionStore:
        if self._store is None:
            self._store = self._open()
        return self._store

    def _forget_store(self) -> None:
        if self._store is not None:
            self._store.close()
            self._store = None

    def _complain(self, complaint: str) -> None:
        """Log a failure, once while it stays the same."""
        if complaint != self._complaint:
            self._complaint = complaint
            LOG.warning("decisions not logged: %s", complaint)
