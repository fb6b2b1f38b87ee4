"""A run whose records go to its outbox first, see tasks/tracking/outbox.py."""

import json
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from facenet.atomic import write_text
from tasks.tracking.outbox import Outbox
from tasks.tracking.sender import Sender
from tasks.tracking.system import SystemMetrics

RUN_FILE = "run.json"  # next to a checkpoint: the run that a resumed training continues


class RecordedRun(NamedTuple):
    """The outbox of a run, to which all is logged, and its sender."""

    outbox: Outbox
    sender: Sender

    def run_id(self) -> str | None:
        """See `Sender.run_id`."""
        return self.sender.run_id()


@contextmanager
def recorded_run(checkpoints: Path, *, name: str, tags: Mapping[str, str]) -> Iterator[RecordedRun]:
    """Yield a run that logs system metrics: the one of these checkpoints, if there is one, or a new one.

    The run ends as FINISHED, as FAILED after an exception, or as KILLED after SystemExit or
    KeyboardInterrupt. After SIGKILL it stays RUNNING until it is resumed. The server may be away all the
    time: see `Sender`.
    """
    file = checkpoints / RUN_FILE
    stored = json.loads(file.read_text()) if file.exists() else {"outbox": uuid.uuid4().hex}
    run_id = stored.get("run_id")  # of a version without outboxes
    with Outbox(stored.get("outbox") or str(run_id), run_id=run_id) as outbox:
        write_text(file, json.dumps(stored, allow_nan=False))
        outbox.start(name=name, tags=tags, resumable=checkpoints)
        with Sender(outbox) as sender, _ended(outbox), SystemMetrics(outbox):
            yield RecordedRun(outbox, sender)
        outbox.remove_if_done()


@contextmanager
def open_outbox(name: str, *, run_id: str | None) -> Iterator[Sender]:
    """Yield the sender of an outbox of a run that has ended, to log more to it."""
    with Outbox(name, run_id=run_id) as outbox:
        with Sender(outbox) as sender:
            yield sender
        if sender.missing:
            outbox.remove()
        else:
            outbox.remove_if_done()


@contextmanager
def _ended(outbox: Outbox) -> Iterator[None]:
    status = "KILLED"
    try:
        yield
        status = "FINISHED"
    except Exception:
        status = "FAILED"
        raise
    finally:
        outbox.end(status)
