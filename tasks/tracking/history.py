"""The history of promotions in MLflow: one run per decision in the experiment facenet-promotions.

A record has a number and the digest of the record before it, so that a record that was changed or removed is
noticed. It is written before the alias moves, as a run that is RUNNING, and ends when the alias has moved.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from facenet.digests import value_digest
from tasks.tracking.runs import PROMOTIONS, Run, create_run, experiment_id
from tasks.tracking.store import client, mlflow_errors

DONE, INTERRUPTED, OPEN = "FINISHED", "KILLED", "RUNNING"
MAX_TEXT = 2000  # characters of a reason in a tag: MLflow cuts tags off at 8000
Record = dict[str, Any]


@dataclass(frozen=True)
class Entry:
    """A record and its state: FINISHED, KILLED if the alias did not move, RUNNING while it moves."""

    run: Run
    status: str
    record: Record


def entries(model: str) -> list[Entry]:
    """Return the history of a model, oldest first."""
    with mlflow_errors():
        mlflow = client()
        place, token, found = experiment_id(mlflow, PROMOTIONS), None, []
        while token != "":
            page = mlflow.search_runs([place], f"tags.model = '{model}'", page_token=token)
            found += list(page)
            token = page.token or ""
    made = [
        Entry(Run(run.info.run_id), run.info.status, json.loads(run.data.tags["record"])) for run in found
    ]
    return sorted(made, key=lambda entry: int(entry.record["number"]))


def begin(record: Mapping[str, Any], *, metrics: Mapping[str, float]) -> Entry:
    """Append a record, which gets the next number; only the holder of the model's lock may."""
    before = entries(record["model"])
    numbered = {
        **record,
        "reason": str(record["reason"])[:MAX_TEXT],
        "number": before[-1].record["number"] + 1 if before else 1,
        "before_sha256": value_digest(before[-1].record) if before else None,
    }
    return restore(numbered, metrics=metrics, status=OPEN)


def restore(record: Record, *, metrics: Mapping[str, float], status: str) -> Entry:
    """Append a record that has its number."""
    tags = {
        "model": record["model"],
        "action": record["action"],
        "by": record["by"],
        "mlflow.note.content": record["reason"],
        "record": json.dumps(record, ensure_ascii=False, allow_nan=False),
    }
    name = f"{record['number']}: {record['model']} {record['action']}, champion {record['champion']}"
    run = create_run(name=name, tags=tags, experiment=PROMOTIONS)
    run.log_metrics(metrics)
    if status != OPEN:
        run.end(status)
    return Entry(run, status, record)


def gaps(records: Sequence[Record]) -> list[str]:
    """Return a sentence for each record that is missing, or that its successor does not know."""
    wrong = []
    for number, record in enumerate(records, 1):
        before = records[number - 2] if number > 1 else None
        if record["number"] != number:
            wrong.append(f"Record {number} is missing.")
            break
        if record["before_sha256"] != (value_digest(before) if before else None):
            wrong.append(f"Record {number - 1} was changed after record {number} was written.")
    return wrong
