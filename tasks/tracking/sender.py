"""Background delivery of an outbox, so that a stage never waits for the tracking server."""

import logging
import os
import threading
import time
from collections.abc import Callable
from types import TracebackType
from typing import Self

from facenet.errors import FaceNetError
from tasks.tracking.delivery import Delivery, RunMissing
from tasks.tracking.outbox import Outbox
from tasks.tracking.preloading import import_mlflow
from tasks.tracking.store import public_uri

COLLECT_SECONDS = 1.0  # the records of one second are sent together
PAUSES = (2.0, 5.0, 10.0, 20.0)  # seconds between attempts while the server does not answer; the last repeats
PATIENCE = 20.0  # seconds that the end of a stage waits for a server that does not answer
PATIENCE_AFTER_ERROR = 10.0  # a stage that was stopped should end at once
# The sender repeats requests itself. A server that hangs is given up after this time, in seconds.
SETTINGS = {"MLFLOW_HTTP_REQUEST_MAX_RETRIES": "1", "MLFLOW_HTTP_REQUEST_TIMEOUT": "30"}

logger = logging.getLogger(__name__)


class Sender:
    """Sends the records of an outbox while the block runs, and what is left at its end.

    At the end it waits until everything has arrived, or an attempt that began after the end has failed, or
    its patience is over; then the rest stays in the outbox, and a warning names it. An error of the server is
    never raised.

    missing: whether the server does not have the run and the outbox cannot create it.
    arrived: whether the server has everything, after the block.
    """

    def __init__(self, outbox: Outbox) -> None:
        self.outbox, self.missing, self.arrived = outbox, False, False
        self._delivery = Delivery(outbox)
        self._changed = threading.Condition()
        # What the thread has to do, and the number of the attempt that began last and that failed last.
        self._new, self._urgent, self._stopped, self._begun, self._failed = True, False, False, 0, 0
        self._gave_up = False
        self._thread = threading.Thread(target=self._work, name="MLflow sender", daemon=True)

    def __enter__(self) -> Self:
        for name, value in SETTINGS.items():
            os.environ.setdefault(name, value)
        self.outbox.notify = self._notify
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.arrived = self._wait(self.outbox.all_sent, PATIENCE if kind is None else PATIENCE_AFTER_ERROR)
        with self._changed:
            self._stopped = True
            self._changed.notify_all()
        if self.arrived:
            self._thread.join()
        elif not self.missing:
            logger.warning(
                "MLflow at %s did not receive everything. The rest is in %s. The next stage that logs to "
                "this run sends it, or `dvc repro register`.",
                public_uri(),
                self.outbox.folder,
            )

    def run_id(self) -> str | None:
        """Return the id of the run, or None if the server does not answer and the run is not created yet."""
        self._wait(lambda: self.outbox.state()[0] is not None, PATIENCE)
        return self.outbox.state()[0]

    def _notify(self) -> None:
        with self._changed:
            self._new = True
            self._changed.notify_all()

    def _wait(self, holds: Callable[[], bool], patience: float) -> bool:
        """Wait until a condition holds; give up when an attempt that begins from now on fails."""
        deadline = time.monotonic() + (1.0 if self._gave_up else patience)
        with self._changed:
            next_attempt = self._begun + 1
            self._urgent = True
            self._changed.notify_all()
            while not (done := holds()) and not self.missing and self._failed < next_attempt:
                left = deadline - time.monotonic()
                if left <= 0:
                    self._gave_up = True  # do not wait for the same hanging request again
                    break
                self._changed.wait(min(left, 0.5))
        return done

    def _work(self) -> None:
        import_mlflow()
        failures = 0
        while self._next(failures):
            try:
                self._delivery.send()
            except RunMissing:
                with self._changed:
                    self.missing = True
                    self._changed.notify_all()
                return
            except (FaceNetError, OSError) as error:  # the records stay, and the stage goes on
                if not failures:
                    logger.warning("%s Metrics are kept in %s until then.", error, self.outbox.folder)
                failures += 1
            else:
                if failures:
                    logger.warning("MLflow at %s answers again.", public_uri())
                failures, self._gave_up = 0, False
            with self._changed:
                self._failed = self._begun if failures else self._failed
                self._changed.notify_all()

    def _next(self, failures: int) -> bool:
        """Wait for records, or after a failure for its pause; return whether to go on."""
        with self._changed:
            if not failures:
                self._changed.wait_for(lambda: self._new or self._urgent or self._stopped)
            pause = PAUSES[min(failures, len(PAUSES)) - 1] if failures else COLLECT_SECONDS
            self._changed.wait_for(lambda: self._urgent or self._stopped, pause)
            self._new = self._urgent = False
            self._begun += 1
            return not self._stopped
