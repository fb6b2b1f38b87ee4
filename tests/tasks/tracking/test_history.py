"""Records are numbered, know their predecessor, and survive a page of results."""

from typing import Any

import pytest

from tasks.tracking import history
from tasks.tracking.store import client

pytestmark = pytest.mark.usefixtures("mlflow_store")


def record(champion: int, **more: Any) -> dict[str, Any]:
    return {
        "model": "faces",
        "action": "promoted",
        "by": "ada@here",
        "champion": champion,
        "reason": "r",
        **more,
    }


def test_a_record_is_a_run_with_number_name_and_metrics() -> None:
    first = history.begin(record(3, reason="better " * 1000), metrics={"accuracy/version 3": 0.9})
    assert first.status == history.OPEN
    first.run.end(history.DONE)
    history.begin({**record(1), "model": "cats"}, metrics={})
    second = history.begin(record(4), metrics={})
    assert [entry.record["champion"] for entry in history.entries("faces")] == [3, 4]
    assert [entry.status for entry in history.entries("faces")] == [history.DONE, history.OPEN]
    assert second.record["number"] == 2
    run = client().get_run(first.run.run_id)
    assert run.info.run_name == "1: faces promoted, champion 3"
    assert run.data.metrics == {"accuracy/version 3": 0.9}
    assert run.data.tags["by"] == "ada@here"
    assert run.data.tags["mlflow.note.content"].startswith("better better")
    assert client().get_experiment(run.info.experiment_id).name == "facenet-promotions"


def test_a_changed_and_a_missing_record_are_noticed() -> None:
    for champion in (1, 2, 3):
        history.begin(record(champion), metrics={}).run.end(history.DONE)
    records = [entry.record for entry in history.entries("faces")]
    assert history.gaps(records) == []
    assert history.gaps(records[1:]) == ["Record 1 is missing."]
    assert history.gaps([records[0], records[2]]) == ["Record 2 is missing."]
    changed = [records[0], {**records[1], "by": "eve"}, records[2]]
    assert history.gaps(changed) == ["Record 2 was changed after record 3 was written."]
