"""The page in the workspace and on the run of the model."""

import logging
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from facenet.model import ModelCard
from tasks.report.page import Subject
from tasks.report.record import publish
from tasks.tracking import registry, start_run
from tasks.tracking.store import client
from tests.tasks.promotion.versions import challenge
from tests.tasks.report.conftest import REGISTRATION


@pytest.fixture
def space(mlflow_store: Path, evaluated: Subject) -> Path:
    """A workspace with a store, as the working folder."""
    shutil.copytree(evaluated.reports.parent, mlflow_store, dirs_exist_ok=True)
    return mlflow_store


def with_run(space: Path, run_id: str | None) -> None:
    card = replace(ModelCard.read(space / "models/model.json"), mlflow={"run_id": run_id})
    (space / "models/model.json").write_text(card.to_json())


@pytest.mark.parametrize("registered", [True, False])
def test_the_page_reaches_the_run(space: Path, evaluated: Subject, registered: bool) -> None:
    run = start_run(name="trained", tags={})
    with_run(space, run.run_id)
    publish(evaluated.params, {**REGISTRATION, "run_id": run.run_id} if registered else None)
    page = (space / "reports" / "report.html").read_text()
    assert ("version 4" in page) is registered
    stages = client().get_run(run.run_id).data.metrics
    assert {"ingest/rejected/corrupt", "align/fallbacks", "triplets/images_train", "train/steps"} <= set(
        stages
    )
    logged = {
        file.path: file.file_size
        for folder in ("reports", "reports/version-4")
        for file in client().list_artifacts(run.run_id, folder)
        if not file.is_dir
    }
    cards = ["dataset_card.json", "dataset_card.md", *(["model_card.md"] if registered else [])]
    names = [*cards, "report.html"]
    sizes = {name: (space / "reports" / name).stat().st_size for name in names}
    places = ["reports", *(["reports/version-4"] if registered else [])]
    assert logged == {f"{place}/{name}": sizes[name] for place in places for name in names}


def test_without_a_run_it_is_in_the_workspace_only(
    space: Path, evaluated: Subject, caplog: pytest.LogCaptureFixture
) -> None:
    with_run(space, None)
    with caplog.at_level(logging.WARNING):
        publish(evaluated.params, None)
    assert (space / "reports" / "report.html").exists()
    assert "no run of this model" in caplog.text


def test_a_version_has_a_model_card_and_metrics_are_logged_once(space: Path, evaluated: Subject) -> None:
    number = challenge(0.9)
    version = registry.get_version("faces", number)
    assert version is not None
    registration = {**REGISTRATION, "model": "faces", "version": number, "run_id": version.run_id}
    for _ in range(2):
        publish(evaluated.params, registration)
    described = registry.get_version("faces", number)
    assert described is not None
    assert described.description.startswith("# faces version 1\n\n")
    assert described.description == (space / "reports" / "model_card.md").read_text()
    place = f"runs:/{version.run_id}/reports/version-1"
    assert described.tags["dataset_card.json"] == f"{place}/dataset_card.json"
    assert described.tags["model_card.md"] == f"{place}/model_card.md"
    assert len(client().get_metric_history(version.run_id, "ingest/found")) == 1


def test_a_run_without_epochs_gets_those_of_the_history(space: Path, evaluated: Subject) -> None:
    """As after a loss of MLflow's database: the run was rebuilt from the files."""
    run = start_run(name="rebuilt", tags={})
    columns = "epoch,loss,images_per_second,train_accuracy,validation_accuracy,evaluation_auc"
    (space / "reports/history.csv").write_text(f"{columns}\n1,0.5,20,0.25,,\n2,0.4,21,0.5,0.75,0.8\n")
    for _ in range(2):
        publish(evaluated.params, {**REGISTRATION, "run_id": run.run_id})
    logged = {
        name: [(point.step, point.value) for point in client().get_metric_history(run.run_id, name)]
        for name in ("epoch/loss", "epoch/accuracy", "validation/accuracy", "evaluation_pairs/auc")
    }
    assert logged == {
        "epoch/loss": [(1, 0.5), (2, 0.4)],
        "epoch/accuracy": [(1, 0.25), (2, 0.5)],
        "validation/accuracy": [(2, 0.75)],
        "evaluation_pairs/auc": [(2, 0.8)],
    }
    assert run.metrics()["epoch/images_per_second"] == 21
