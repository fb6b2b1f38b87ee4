"""The outbox of a run: what a stage has to say to MLflow, in a file of the workspace before it is sent.

A stage appends a record and goes on; tasks/tracking/sender.py sends the records in the background. What is
left is sent by the next stage that opens the outbox, or by register. Every record has its own time and can be
sent twice without effect (MLflow identifies a metric by run, name, step, time and value), so an interrupted
delivery is repeated from the last record known to have arrived.

The folder data/outbox/NAME contains records.jsonl, the files to log as copies, and state.json: the id of the
run, and how many bytes of the records have arrived.
"""

import json
import shutil
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from facenet.atomic import write_text
from facenet.storage import explain
from tasks import paths
from tasks.tracking.append_only import append_line, lock_folder, open_lines
from tasks.tracking.provenance import provenance, workspace
from tasks.tracking.runs import flatten

RECORDS, STATE, FILES = "records.jsonl", "state.json", "files"
Record = dict[str, Any]


def outboxes() -> Path:
    """Return the folder of the workspace's outboxes."""
    return workspace() / paths.OUTBOX


class Outbox:
    """The records for one run, locked for this process: the same methods as `Run`, which only append.

    The kernel releases the lock when this process ends.

    Raises:
        FolderBusy: in `__enter__`, if another process has it and `wait` is false.
        StorageFailed: a record cannot be written, for example because the disk is full.
    """

    def __init__(self, name: str, *, run_id: str | None = None, wait: bool = True) -> None:
        """Take the outbox `name`, waiting for another process; run_id: of the run, if it exists already."""
        self.name, self.folder = name, outboxes() / name
        self.notify: Callable[[], None] = lambda: None  # called after each record
        self._given_run_id, self._wait, self._writing = run_id, wait, threading.Lock()

    def __enter__(self) -> Self:
        self._lock = lock_folder(self.folder, wait=self._wait)
        self._records = open_lines(self.folder / RECORDS)
        records = self.read()
        self._last_steps = _last_steps(records)
        self._begun = records[0][0]["at"] if records else _now()
        if self._given_run_id and not (self.folder / STATE).exists():
            self.write_state(self._given_run_id, 0)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._records.close()
        self._lock.close()

    def start(self, *, name: str, tags: Mapping[str, str], resumable: Path) -> None:
        """Name the run, which is created if the server does not have it, and set to RUNNING otherwise.

        It is tagged with its provenance as well, see `provenance`.
        resumable: the checkpoints with which the run may continue; the outbox is kept as long as they exist.
        """
        everything = {**provenance(), **tags}
        place = str(resumable.absolute())
        self._append({"kind": "start", "name": name, "tags": everything, "resumable": place})

    def log_params(self, params: Mapping[str, Any]) -> None:
        """See `Run.log_params`."""
        self._append({"kind": "params", "params": flatten(params)})

    def log_metrics(self, metrics: Mapping[str, float], step: int | None = None) -> None:
        """Log the metrics of a step, or without a step, in which case later values replace earlier ones.

        A step that a resumed run repeats is logged once: names with this or a later step are ignored.
        """
        if step is not None:
            metrics = {k: v for k, v in metrics.items() if self._last_steps.get(k, -1) < step}
            self._last_steps |= dict.fromkeys(metrics, step)
        if metrics:
            # Strict JSON has no NaN; float() reads its name.
            values = {
                k: v if abs(v := float(value)) < float("inf") else str(v) for k, value in metrics.items()
            }
            self._append({"kind": "metrics", "step": step, "metrics": values})

    def log_dataset(self, name: str, digest: str, source: str, dvc_md5: str | None = None) -> None:
        """See `Run.log_dataset`."""
        stated = {"name": name, "digest": digest, "source": source, "dvc_md5": dvc_md5}
        self._append({"kind": "dataset", **stated})

    def log_file(self, path: Path, folder: str = "") -> None:
        """Log a copy of a file as an artifact in the run's `folder`."""
        self._log_artifact(path.name, folder, lambda target: shutil.copyfile(path, target))

    def log_text(self, text: str, artifact: str) -> None:
        """Log text as the artifact with that path."""
        folder, _, name = artifact.rpartition("/")
        self._log_artifact(name, folder, lambda target: target.write_text(text, encoding="utf-8"))

    def set_tags(self, tags: Mapping[str, str]) -> None:
        """Set tags, replacing existing values."""
        self._append({"kind": "tags", "tags": dict(tags)})

    def end(self, status: str) -> None:
        """End the run with the status FINISHED, FAILED or KILLED."""
        self._append({"kind": "end", "status": status})

    def read(self, start: int = 0) -> list[tuple[Record, int]]:
        """Return the records from a position in the file, each with the position after it, in bytes."""
        with (self.folder / RECORDS).open("rb") as file:
            file.seek(start)
            lines = file.read().splitlines(keepends=True)
        found, place = [], start
        for line in lines:
            if line.endswith(b"\n"):  # the last one may be incomplete while it is written
                place += len(line)
                found.append((json.loads(line), place))
        return found

    def state(self) -> tuple[str | None, int]:
        """Return the run's id, if it exists, and the position in the records up to which all has arrived."""
        try:
            state = json.loads((self.folder / STATE).read_text())
            return state["run_id"], int(state["sent"])
        except (FileNotFoundError, KeyError, TypeError, ValueError):
            return None, 0  # what has arrived is sent again, without effect

    def write_state(self, run_id: str | None, sent: int) -> None:
        """Store what `state` returns, unless another process may have the outbox by now."""
        if not self._lock.closed:
            write_text(self.folder / STATE, json.dumps({"run_id": run_id, "sent": sent}, allow_nan=False))

    def seconds(self) -> int:
        """Return the seconds since the run was first started."""
        return (_now() - self._begun) // 1000

    def all_sent(self) -> bool:
        """Return whether every record has arrived."""
        return self.state()[1] >= (self.folder / RECORDS).stat().st_size

    def remove_if_done(self) -> None:
        """Remove the folder if everything has arrived and the run cannot be resumed.

        A run that can be resumed needs its records to know which steps it has logged.
        """
        if not self.all_sent():
            return
        records = [record for record, _ in self.read()]
        starts = [place for place, record in enumerate(records) if record["kind"] == "start"]
        later = records[starts[-1] :] if starts else []
        finished = any(record.get("status") == "FINISHED" for record in later)
        if not starts or finished or not Path(records[starts[-1]]["resumable"]).exists():
            self.remove()

    def remove(self) -> None:
        """Remove the folder."""
        shutil.rmtree(self.folder)

    def _log_artifact(self, name: str, folder: str, write: Callable[[Path], Any]) -> None:
        with self._explained():
            target = self.folder / FILES / str(time.time_ns()) / name
            target.parent.mkdir(parents=True)
            write(target)
        self._append({"kind": "file", "file": str(target.relative_to(self.folder)), "artifacts": folder})

    def _append(self, record: Record) -> None:
        line = json.dumps({"at": _now(), **record}, ensure_ascii=False, allow_nan=False, default=str)
        with self._writing, self._explained():
            append_line(self._records, line.encode() + b"\n")
        self.notify()

    @contextmanager
    def _explained(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise explain(error, self.folder) or error from error


def _now() -> int:
    """Return the time in milliseconds since 1970, as MLflow stores it."""
    return time.time_ns() // 1_000_000


def _last_steps(records: list[tuple[Record, int]]) -> dict[str, int]:
    """Return the last step of each metric; steps grow within a run."""
    series = [record for record, _ in records if record["kind"] == "metrics" and record["step"] is not None]
    return {name: record["step"] for record in series for name in record["metrics"]}
