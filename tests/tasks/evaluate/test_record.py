"""The evaluation on the run of the model, in a real store."""

import json
import logging
from pathlib import Path

import pytest

from facenet.model import ModelCard, NetworkCard
from tasks.evaluate.record import FILES, log_to_run
from tasks.tracking import start_run, tracking_uri

METRICS = {
    "protocol": "LFW View 1",
    "decisions_sha256": "abc",
    "accuracy": 0.875,
    "accuracy_standard_error": None,
    "subtract_mean": True,
    "val_at_far": {"0.01": {"val": 0.5, "supported": True, "val_interval": [0.4, 0.6]}},
}


@pytest.fixture
def reports(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{tmp_path / 'mlflow.db'}")
    monkeypatch.setenv("DVC_ROOT", str(tmp_path))
    folder = tmp_path / "reports"
    folder.mkdir()
    for name in FILES:
        (folder / name).write_text(json.dumps(METRICS))
    return folder


def card(folder: Path, run_id: str | None) -> Path:
    path = folder / "model.json"
    network = NetworkCard(name="nn4_small2", embedding_size=16, image_size=96)
    path.write_text(ModelCard(network=network, align={}, mlflow={"run_id": run_id}).to_json())
    return path


def test_metrics_and_files_are_logged_to_the_run(reports: Path) -> None:
    from mlflow import MlflowClient

    run = start_run(name="train", tags={})
    assert log_to_run(METRICS, card=card(reports, run.run_id), reports=reports)
    client = MlflowClient(tracking_uri=tracking_uri())
    metrics = client.get_run(run.run_id).data.metrics
    assert metrics == {"evaluation/accuracy": 0.875, "evaluation/val_at_far/0.01/val": 0.5}
    assert {Path(f.path).name for f in client.list_artifacts(run.run_id, "reports")} == set(FILES)
    assert run.read_file("decisions/abc.csv") == (reports / "decisions.csv").read_bytes()
    assert run.read_file("decisions/abd.csv") is None


def test_run_of_another_server_is_not_an_error(reports: Path, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        assert not log_to_run(METRICS, card=card(reports, "0" * 32), reports=reports)
    assert f"has no run {'0' * 32}" in caplog.text


def test_model_without_a_run_is_not_an_error(reports: Path, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        assert not log_to_run(METRICS, card=card(reports, None), reports=reports)
    assert "names no MLflow run" in caplog.text
