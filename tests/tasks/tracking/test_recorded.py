"""A recorded run: how it ends, how it is resumed, and what is logged to it afterwards."""

import json
from pathlib import Path

import pytest

from tasks.tracking import start_run
from tasks.tracking.recorded import open_outbox, recorded_run
from tasks.tracking.store import client


def train(place: Path, step: int, error: BaseException | None = None) -> str:
    """Log a step to the run of these checkpoints, ending with an error, and return the run's id."""
    with recorded_run(place, name="nn4", tags={"recipe": "orl"}) as run:
        run.outbox.log_metrics({"loss": 1 / step}, step)
        run_id = run.run_id()
        if error:
            raise error
    assert run_id is not None
    return run_id


@pytest.mark.parametrize(
    ("error", "status"),
    [(ValueError("x"), "FAILED"), (KeyboardInterrupt(), "KILLED"), (SystemExit(143), "KILLED")],
)
def test_a_run_is_resumed_after_any_end(mlflow_store: Path, error: BaseException, status: str) -> None:
    place = mlflow_store / "models/checkpoints/key"
    with pytest.raises(type(error)):
        train(place, 1, error)
    (killed,) = client().search_runs(["1"])
    assert (killed.info.status, killed.info.run_name) == (status, "nn4")
    run_id = train(place, 2)
    assert run_id == killed.info.run_id
    found = client().get_run(run_id)
    assert (found.info.status, found.data.tags["recipe"]) == ("FINISHED", "orl")
    assert [point.step for point in client().get_metric_history(run_id, "loss")] == [1, 2]
    assert not list((mlflow_store / "data/outbox").iterdir())


def test_a_run_of_a_version_without_outboxes_is_continued(mlflow_store: Path) -> None:
    before = start_run(name="before", tags={})
    place = mlflow_store / "models/checkpoints/key"
    place.mkdir(parents=True)
    (place / "run.json").write_text(json.dumps({"run_id": before.run_id}))
    assert train(place, 1) == before.run_id


def test_more_is_logged_to_a_run_that_has_ended(mlflow_store: Path) -> None:
    place = mlflow_store / "models/checkpoints/key"
    run_id = train(place, 1)
    name = json.loads((place / "run.json").read_text())["outbox"]
    for known in (run_id, None):  # without its id, the run is found by its tag
        with open_outbox(name, run_id=known) as sender:
            sender.outbox.log_metrics({"evaluation/accuracy": 0.5})
        assert sender.arrived
    history = client().get_metric_history(run_id, "evaluation/accuracy")
    assert [point.value for point in history] == [0.5, 0.5]
    with open_outbox("unknown", run_id="0" * 32) as sender:
        sender.outbox.log_metrics({"evaluation/accuracy": 0.5})
    assert (sender.missing, sender.arrived) == (True, False)
    assert not list((mlflow_store / "data/outbox").iterdir())
