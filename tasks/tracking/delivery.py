"""Delivery of an outbox: its records in order to the run on the tracking server."""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import takewhile
from typing import Any

from tasks.redaction import redact
from tasks.tracking.append_only import FolderBusy
from tasks.tracking.outbox import Outbox, Record, outboxes
from tasks.tracking.runs import Run, create_run, find_run, open_run
from tasks.tracking.store import TrackingFailed, client, mlflow_errors, public_uri

OUTBOX_TAG = "outbox"  # of a run: the name of its outbox, by which a run that was created is found again
MAX_METRICS = 1000  # per request, MLflow's limit
# The server understood these requests and will never accept them; it is of no use to repeat them.
REFUSALS = {"INVALID_PARAMETER_VALUE", "BAD_REQUEST", "RESOURCE_ALREADY_EXISTS", "INVALID_STATE", "DATA_LOSS"}

logger = logging.getLogger(__name__)
Batch = list[tuple[Record, int]]


class RunMissing(TrackingFailed):
    """The server does not have the run, and the outbox does not say how to create it."""


@dataclass
class Delivery:
    """Sends the records of an outbox, of which this process has the lock.

    refused: the errors of the records that the server will never accept; they are skipped.
    """

    outbox: Outbox
    refused: list[str] = field(default_factory=list)

    def send(self) -> None:
        """Send what has not arrived yet; after an error the next call continues with the same record.

        If the server has lost the run, it is created again from all records.

        Raises:
            RunMissing: the run does not exist, and the outbox does not begin with its start.
            TrackingFailed: the server cannot be reached or has an error.
        """
        run_id, sent = self.outbox.state()
        records = self.outbox.read(sent)
        if not records:
            return
        run = open_run(run_id) if run_id else None
        if run is None:
            run, sent = self._find_or_create(), 0
            self.outbox.write_state(run.run_id, sent)
            records = self.outbox.read()
        while records:
            batch = _batch(records)
            self._deliver(run, batch)
            self.outbox.write_state(run.run_id, batch[-1][1])
            records = records[len(batch) :]

    def _find_or_create(self) -> Run:
        run = find_run(OUTBOX_TAG, self.outbox.name)
        if run is not None:
            return run
        starts = [record for record, _ in self.outbox.read() if record["kind"] == "start"]
        if not starts:
            raise RunMissing(f"MLflow at {public_uri()} does not have the run of {self.outbox.folder}.")
        first = starts[0]
        return create_run(
            name=first["name"], tags={**first["tags"], OUTBOX_TAG: self.outbox.name}, at=first["at"]
        )

    def _deliver(self, run: Run, batch: Batch) -> None:
        try:
            _log(run, self.outbox, [record for record, _ in batch])
        except (TrackingFailed, OSError) as error:
            if not _is_refusal(error):
                raise
            if len(batch) > 1:  # one record must not cost the others
                for one in batch:
                    self._deliver(run, [one])
                return
            self.refused.append(redact(f"{batch[0][0]['kind']}: {error}"))
            logger.warning("MLflow refuses a record of %s: %s", self.outbox.folder, error)


def deliver() -> None:
    """Send what is left in the outboxes of the workspace, and remove those that are done.

    An outbox that another process has open is left to it.

    Raises:
        TrackingFailed: the server cannot be reached or has an error.
    """
    for folder in sorted(path for path in outboxes().glob("*") if path.is_dir()):
        try:
            with Outbox(folder.name, wait=False) as outbox:
                send_rest(outbox)
        except FolderBusy:
            logger.info("%s is in use.", folder)


def send_rest(outbox: Outbox) -> None:
    """Send the rest of an outbox and remove it if it is done; raises like `deliver`."""
    try:
        Delivery(outbox).send()
    except RunMissing as error:
        logger.warning("%s It is left out: the reports are in the workspace.", error)
        outbox.remove()
    else:
        outbox.remove_if_done()


def _batch(records: Batch) -> Batch:
    """Return the first records: metrics as many as fit in a request, others one by one."""
    metrics = list(takewhile(lambda entry: entry[0]["kind"] == "metrics", records))
    count, length = 0, 0
    for record, _ in metrics:
        length += len(record["metrics"])
        if count and length > MAX_METRICS:
            break
        count += 1
    return records[: max(count, 1)]


def _log(run: Run, outbox: Outbox, records: Sequence[Record]) -> None:
    first = records[0]
    kind = first["kind"]
    if kind == "metrics":
        _log_metrics(run, records)
    elif kind == "params":
        run.log_params(first["params"])
    elif kind == "dataset":
        run.log_dataset(first["name"], first["digest"], first["source"], first.get("dvc_md5"))
    elif kind == "file":
        run.log_file(outbox.folder / first["file"], first["artifacts"])
    elif kind == "tags":
        run.set_tags(first["tags"])
    elif kind == "start":
        run.resume()
    else:
        run.end(first["status"], at=first["at"])


def _log_metrics(run: Run, records: Sequence[Record]) -> None:
    from mlflow.entities import Metric

    entities = [
        Metric(name, float(value), record["at"], record["step"] or 0)
        for record in records
        for name, value in _metrics(record).items()
    ]
    with mlflow_errors():
        client().log_batch(run.run_id, entities)


def _metrics(record: Record) -> Mapping[str, Any]:
    metrics: Mapping[str, Any] = record["metrics"]
    return metrics


def _is_refusal(error: Exception) -> bool:
    """Return whether the error concerns the record only: refused by the server, or its file is gone."""
    if isinstance(error, FileNotFoundError):
        return True
    return getattr(error.__cause__, "error_code", None) in REFUSALS
