import json
import os
import signal
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pytest

from tasks.tracking import TrackingFailed, find_run, open_run, start_run, training_run
from tasks.tracking.runs import MAX_BATCH, MAX_PARAM, Run
from tasks.tracking.store import client


def stored(run: Run) -> Any:
    return client().get_run(run.run_id)


def artifacts(run: Run, folder: str | None = None) -> list[str]:
    return sorted(item.path for item in client().list_artifacts(run.run_id, folder))


def test_a_run_has_a_name_tags_and_an_experiment_in_the_workspace(mlflow_store: Path) -> None:
    run = start_run(name="first", tags={"recipe": "orl"})
    found = stored(run)
    assert found.info.run_name == "first"
    assert found.data.tags["recipe"] == "orl"
    experiment = client().get_experiment(found.info.experiment_id)
    assert experiment.name == "facenet"
    assert experiment.tags["mlflow.note.content"].startswith("Trainings and sweeps")
    assert found.info.artifact_uri.startswith((mlflow_store / "mlartifacts").as_uri())


def test_params_are_flattened_and_may_be_logged_again(mlflow_store: Path) -> None:
    run = start_run(name="params", tags={})
    params = {
        "train": {"epochs": 2, "rate": 0.1, "init": None, "schedule": {"steps": {0: 0.1}}},
        "align": {"thresholds": [0.6, 0.7], "flip": True, "method": "crop", "none": {}},
    }
    run.log_params(params)
    run.log_params(params)
    assert stored(run).data.params == {
        "train.epochs": "2",
        "train.rate": "0.1",
        "train.init": "null",
        "train.schedule.steps.0": "0.1",
        "align.thresholds": "[0.6, 0.7]",
        "align.flip": "true",
        "align.method": "crop",
    }
    with pytest.raises(TrackingFailed, match=r"train\.epochs"):
        run.log_params({"train": {"epochs": 3}})


def test_more_params_than_fit_in_one_request(mlflow_store: Path) -> None:
    run = start_run(name="many", tags={})
    run.log_params({f"p{number:03d}": number for number in range(MAX_BATCH * 2 + 1)})
    assert len(stored(run).data.params) == MAX_BATCH * 2 + 1


def test_a_long_value_is_stored_as_an_artifact(mlflow_store: Path) -> None:
    run = start_run(name="long", tags={})
    longest, longer = "x" * MAX_PARAM, list(range(MAX_PARAM))
    run.log_params({"fits": longest, "ingest": {"sources": longer}})
    params = stored(run).data.params
    assert params["fits"] == longest
    assert params["ingest.sources"].startswith("params/ingest.sources.json, sha256 ")
    path = client().download_artifacts(run.run_id, "params/ingest.sources.json")
    assert json.loads(Path(path).read_text()) == longer


def test_metrics_have_steps_and_survive_nan(mlflow_store: Path) -> None:
    run = start_run(name="metrics", tags={})
    for step in range(3):
        run.log_metrics({"loss": 1.0 / (step + 1), "accuracy": step / 2}, step)
    run.log_metrics({"loss": float("nan")}, 3)
    run.log_metrics({})
    history = client().get_metric_history(run.run_id, "loss")
    assert [(point.step, point.value) for point in history[:3]] == [(0, 1.0), (1, 0.5), (2, 1 / 3)]
    assert history[3].value != history[3].value
    assert stored(run).data.metrics["accuracy"] == 1.0


def test_a_dataset_is_logged_once_with_digest_and_location(mlflow_store: Path) -> None:
    run = start_run(name="data", tags={})
    for _ in range(2):
        run.log_dataset("aligned", "ab" * 32, "data/aligned", "md5.dir")
    (logged,) = stored(run).inputs.dataset_inputs
    assert logged.dataset.name == "aligned"
    source = {"uri": "data/aligned", "digest": "ab" * 32, "dvc_md5": "md5.dir"}
    assert json.loads(logged.dataset.source) == source
    assert [(tag.key, tag.value) for tag in logged.tags] == [("mlflow.data.context", "training")]
    assert ("ab" * 32).startswith(logged.dataset.digest)


def test_files_are_logged_to_the_given_folder(mlflow_store: Path) -> None:
    run = start_run(name="files", tags={})
    report = mlflow_store / "roc.csv"
    report.write_text("far,tar\n")
    run.log_file(report, "reports")
    run.log_file(report)
    assert artifacts(run) == ["reports", "roc.csv"]
    assert artifacts(run, "reports") == ["reports/roc.csv"]


def test_unknown_and_deleted_runs_are_none(mlflow_store: Path) -> None:
    assert open_run("0" * 32) is None
    run = start_run(name="gone", tags={})
    assert open_run(run.run_id) == run
    client().delete_run(run.run_id)
    assert open_run(run.run_id) is None


def test_a_run_is_found_by_its_tag(mlflow_store: Path) -> None:
    assert find_run("rebuilt_for", "abc") is None
    run = start_run(name="tagged", tags={"rebuilt_for": "abc"})
    assert find_run("rebuilt_for", "abc") == run
    assert find_run("rebuilt_for", "abd") is None
    run.set_tags({"rebuilt_for": "abd"})
    assert find_run("rebuilt_for", "abd") == run


def test_a_training_run_finishes(mlflow_store: Path) -> None:
    with training_run(name="training", tags={"recipe": "orl"}) as run:
        assert stored(run).info.status == "RUNNING"
    assert stored(run).info.status == "FINISHED"


@pytest.mark.parametrize(
    ("error", "status"),
    [(ValueError("x"), "FAILED"), (KeyboardInterrupt(), "KILLED"), (SystemExit(143), "KILLED")],
)
def test_the_status_of_a_run_says_how_it_ended(mlflow_store: Path, error: BaseException, status: str) -> None:
    def end(runs: list[Run]) -> None:
        with training_run(name="ends", tags={}) as run:
            runs.append(run)
            run.log_metrics({"loss": 2.0}, 0)
            raise error

    runs: list[Run] = []
    with pytest.raises(type(error)):
        end(runs)
    assert stored(runs[0]).info.status == status


def test_an_interrupted_run_is_resumed_and_an_unknown_run_is_replaced(mlflow_store: Path) -> None:
    first = start_run(name="first", tags={})
    first.log_metrics({"loss": 2.0}, 0)
    first.end("KILLED")
    with training_run(name="again", tags={}, resume=first.run_id) as second:
        assert stored(second).info.status == "RUNNING"
        second.log_metrics({"loss": 1.0}, 1)
    assert second == first
    assert stored(second).info.status == "FINISHED"
    assert stored(second).info.run_name == "first"
    assert [point.value for point in client().get_metric_history(first.run_id, "loss")] == [2.0, 1.0]
    with training_run(name="new", tags={}, resume="0" * 32) as third:
        assert third.run_id not in ("0" * 32, first.run_id)


def test_runs_of_two_threads_do_not_mix(mlflow_store: Path) -> None:
    def work(name: str, value: float) -> None:
        run = start_run(name=name, tags={})
        run.log_metrics({"value": value})
        runs[name] = run

    runs: dict[str, Run] = {}
    start_run(name="creates the experiment", tags={})
    threads = [threading.Thread(target=work, args=(f"run {n}", n)) for n in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert {name: stored(run).data.metrics["value"] for name, run in runs.items()} == {
        "run 0": 0.0,
        "run 1": 1.0,
        "run 2": 2.0,
    }


def test_sigterm_kills_the_run_and_leaves_the_caller_s_handler_alone(mlflow_store: Path, root: Path) -> None:
    code = """
import sys, time
from tasks.tracking import training_run
with training_run(name="terminated", tags={}) as run:
    print(run.run_id, flush=True)
    time.sleep(600)
"""
    process = subprocess.Popen(
        [sys.executable, "-c", code],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(root)},
    )
    assert process.stdout is not None
    run_id = process.stdout.readline().strip()
    process.terminate()
    assert process.wait(120) == 143
    assert stored(Run(run_id)).info.status == "KILLED"

    own, before = (lambda *_: None), signal.getsignal(signal.SIGTERM)
    signal.signal(signal.SIGTERM, own)
    try:
        with training_run(name="own handler", tags={}):
            assert signal.getsignal(signal.SIGTERM) is own
    finally:
        signal.signal(signal.SIGTERM, before)
    with training_run(name="no handler", tags={}):
        assert signal.getsignal(signal.SIGTERM) is not before
    assert signal.getsignal(signal.SIGTERM) is before


@pytest.mark.server
@pytest.mark.slow
def test_a_run_on_a_real_server(
    mlflow_server: str, mlflow_store: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", mlflow_server)
    with training_run(name="served", tags={"recipe": "orl"}) as run:
        run.log_params({"train": {"epochs": 1}})
        run.log_metrics({"loss": 1.0}, 3)
        run.log_dataset("raw", "c" * 64, "data/raw")
        run.log_file(mlflow_store / "mlflow.db", "files")
    assert open_run(run.run_id) == run
    found = stored(run)
    assert found.info.status == "FINISHED"
    assert found.data.params == {"train.epochs": "1"}
    assert found.info.artifact_uri.startswith("mlflow-artifacts:")
    assert artifacts(run, "files") == ["files/mlflow.db"]
    assert not (mlflow_store / "mlartifacts").exists()
