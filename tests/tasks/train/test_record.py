import math
from dataclasses import replace
from pathlib import Path

import pytest
from mlflow import MlflowClient

from facenet.training import EpochReport, StepReport
from tasks.tracking import start_run
from tasks.train.record import LOG_EVERY, Recorder


def step(number: int) -> StepReport:
    return StepReport(
        step=number,
        epoch=1,
        batch=number,
        batches=30,
        images=10,
        loss=number / 10,
        lr=0.01,
        seconds=0.5,
        metrics={"accuracy": 0.25},
    )


EPOCH = EpochReport(
    epoch=1,
    steps=30,
    images=300,
    loss=0.5,
    lr=0.01,
    inactive_steps=2,
    seconds=15.0,
    metrics={"accuracy": 0.25},
    validation={"accuracy": 0.875},
    evaluation={"accuracy": 0.75, "auc": 0.8},
)


def test_mining_is_shown_and_reported_even_if_it_finds_nothing(
    mlflow_store: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    tracked = start_run(name="test", tags={})
    with Recorder(tracked, steps=120, done=0, epochs=4) as recorder:
        recorder.faces(64, 100)
        recorder.faces(100, 100)
        recorder.step(replace(step(1), batches=3))  # the first third of an epoch of thirty steps at most
        recorder.epoch(replace(EPOCH, metrics={"mined_triplets": 1234.0}))
        empty = {"steps": 0, "images": 0, "seconds": 0.0, "loss": math.nan, "inactive_steps": 0}
        recorder.epoch(
            replace(EPOCH, epoch=2, validation={}, evaluation={}, metrics={"mined_triplets": 0.0}, **empty)
        )
    output = capsys.readouterr().err
    assert "mine: " in output
    assert "/100" in output
    assert "10/120" in output
    assert "20.0 images/s, 1,234 triplets mined, 2 steps without" in output
    assert "epoch 2/4: 0 triplets mined\n" in output
    client = MlflowClient(f"sqlite:///{mlflow_store / 'mlflow.db'}")
    mined = client.get_metric_history(tracked.run_id, "epoch/mined_triplets")
    assert [m.value for m in mined] == [1234.0, 0.0]


def test_steps_and_epochs_reach_the_run_and_the_log(
    mlflow_store: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    tracked = start_run(name="test", tags={})
    with Recorder(tracked, steps=120, done=0, epochs=4) as recorder:
        for number in range(1, 31):
            recorder.step(step(number))
        recorder.epoch(EPOCH)
    output = capsys.readouterr().err
    assert (
        "epoch 1/4: loss 0.5000, validation accuracy 0.8750, evaluation accuracy 0.7500, 20.0 images/s"
        in output
    )
    assert "2 steps without an active triplet" in output
    client = MlflowClient(f"sqlite:///{mlflow_store / 'mlflow.db'}")
    steps = client.get_metric_history(tracked.run_id, "step/loss")
    assert [(m.step, m.value) for m in steps] == [(n, n / 10) for n in range(LOG_EVERY, 31, LOG_EVERY)]
    metrics = client.get_run(tracked.run_id).data.metrics
    assert metrics["step/images_per_second"] == 20
    assert metrics["epoch/inactive_steps"] == 2
    assert metrics["validation/accuracy"] == 0.875
    assert (metrics["evaluation_pairs/accuracy"], metrics["evaluation_pairs/auc"]) == (0.75, 0.8)
