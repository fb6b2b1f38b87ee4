"""The decision log of a program that ends: open while it works, unless it is turned off."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from tasks.monitoring.location import is_off, locate, retention_days
from tasks.monitoring.rows import DecisionRow
from tasks.monitoring.store import DecisionStore
from tasks.monitoring.writer import DecisionLog

Log = Callable[[Sequence[DecisionRow]], None]


def decision_log(place: str | Path | None = None) -> DecisionLog | None:
    """Return the log at a place, by default that of FACENET_MONITORING, not started; None if it is off.

    Raises:
        ParamsInvalid: the place or FACENET_MONITORING_DAYS is not valid.
    """
    if is_off(place):
        return None
    locate(place)  # an invalid place is an error now; one that fails later is a warning
    return DecisionLog(partial(DecisionStore.open, place), keep_days=retention_days())


@contextmanager
def logging_decisions(place: str | Path | None = None) -> Iterator[Log]:
    """Yield a function that logs rows in the background; what waits is written at the end.

    Raises:
        ParamsInvalid: the place or FACENET_MONITORING_DAYS is not valid.
    """
    log = decision_log(place)
    if log is None:
        yield lambda _rows: None
        return
    log.start()
    try:
        yield log.add
    finally:
        log.close()
