"""Records reach a run once, in order, also after refusals and on a server that has lost the run."""

import logging
import shutil
from pathlib import Path
from typing import Any

import pytest

from tasks.tracking import find_run, open_run, start_run
from tasks.tracking.delivery import OUTBOX_TAG, Delivery, RunMissing, deliver
from tasks.tracking.outbox import Outbox
from tasks.tracking.runs import Run
from tasks.tracking.store import client


def fill(outbox: Outbox, root: Path) -> None:
    """Record a whole training."""
    (root / "history.csv").write_text("epoch\n")
    outbox.start(name="nn4", tags={"recipe": "orl"}, resumable=root / "none")
    outbox.log_params({"train": {"epochs": 2}})
    outbox.log_dataset("raw", "c" * 64, "data/raw")
    for step in range(30):
        outbox.log_metrics({f"m{number}": step / 4 for number in range(70)}, step)
    outbox.log_metrics({"nan": float("nan")}, 1)
    outbox.log_file(root / "history.csv", "reports")
    outbox.log_text("decided", "decisions/d.csv")
    outbox.set_tags({"more": "tags"})
    outbox.end("FINISHED")


def check(run: Run, started: int) -> None:
    found = client().get_run(run.run_id)
    assert (found.info.run_name, found.info.status, found.info.start_time) == ("nn4", "FINISHED", started)
    assert found.info.end_time >= started
    assert found.data.params == {"train.epochs": "2"}
    assert {key: found.data.tags[key] for key in ("recipe", "more")} == {"recipe": "orl", "more": "tags"}
    assert [entry.dataset.name for entry in found.inputs.dataset_inputs] == ["raw"]
    history = client().get_metric_history(run.run_id, "m69")
    assert [(point.step, point.value) for point in history] == [(step, step / 4) for step in range(30)]
    (nan,) = client().get_metric_history(run.run_id, "nan")
    assert nan.value != nan.value
    assert run.read_file("reports/history.csv") == b"epoch\n"
    assert run.read_file("decisions/d.csv") == b"decided"


def found(name: str) -> Run:
    run = find_run(OUTBOX_TAG, name)
    assert run is not None
    return run


def test_sending_everything_twice_is_like_once_and_a_lost_run_is_made_again(
    mlflow_store: Path, migrated_store: Path
) -> None:
    with Outbox("a") as outbox:
        fill(outbox, mlflow_store)
        started = int(outbox.read()[0][0]["at"])
        Delivery(outbox).send()
        assert outbox.all_sent()
        check(found("a"), started)
        outbox.write_state(None, 0)  # the answer to every request was lost
        Delivery(outbox).send()
        check(found("a"), started)
        assert len(client().search_runs(["1"])) == 1
        shutil.copy(migrated_store, "mlflow.db")
        outbox.set_tags({"late": "yes"})
        Delivery(outbox).send()
        check(found("a"), started)


def test_a_refused_record_does_not_cost_the_others(
    mlflow_store: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with Outbox("a") as outbox:
        outbox.start(name="r", tags={}, resumable=mlflow_store)
        outbox.log_params({"epochs": 2})
        outbox.log_params({"epochs": 3})  # MLflow does not change parameters
        outbox.log_metrics({"a": 1.0}, 1)
        outbox.log_metrics({"not?allowed": 1.0}, 2)
        outbox.log_metrics({"a": 2.0}, 3)
        outbox.log_text("x", "gone.txt")
        shutil.rmtree(outbox.folder / "files")
        delivery = Delivery(outbox)
        with caplog.at_level(logging.WARNING):
            delivery.send()
        assert outbox.all_sent()
        run = client().get_run(found("a").run_id)
        assert run.data.params == {"epochs": "2"}
        assert [point.step for point in client().get_metric_history(run.info.run_id, "a")] == [1, 3]
    assert [line.partition(":")[0] for line in delivery.refused] == ["params", "metrics", "file"]
    assert "MLflow refuses a record" in caplog.text


def test_a_run_that_ended_takes_more_and_an_unknown_one_is_missing(mlflow_store: Path) -> None:
    run = start_run(name="trained", tags={})
    run.end("FINISHED")
    with Outbox(run.run_id, run_id=run.run_id) as outbox:
        outbox.log_metrics({"evaluation/accuracy": 0.5})
        Delivery(outbox).send()
    assert client().get_run(run.run_id).data.metrics == {"evaluation/accuracy": 0.5}
    with Outbox("b", run_id="0" * 32) as outbox:
        outbox.log_metrics({"evaluation/accuracy": 0.5})
        with pytest.raises(RunMissing, match=r"does not have the run of .*data/outbox/b"):
            Delivery(outbox).send()


def test_what_stages_left_is_delivered_and_removed(mlflow_store: Path, caplog: Any) -> None:
    for name in ("a", "b"):
        with Outbox(name) as outbox:
            fill(outbox, mlflow_store)
    with Outbox("c", run_id="0" * 32) as outbox:
        outbox.log_metrics({"evaluation/accuracy": 0.5})
    with Outbox("b"):  # another process is at it
        deliver()
    check(found("a"), client().get_run(found("a").run_id).info.start_time)
    assert find_run(OUTBOX_TAG, "b") is None
    assert [path.name for path in (mlflow_store / "data/outbox").iterdir()] == ["b"]
    assert "does not have the run of" in caplog.text
    deliver()
    assert open_run(found("b").run_id) is not None
    assert not list((mlflow_store / "data/outbox").iterdir())
