"""The whole pipeline as a user runs it: a copy of the project, `dvc repro`, and what DVC and MLflow promise.

The sample is real, the network small: NN4.Small2 and one epoch, so that a run takes about a minute.
"""

import shutil
from pathlib import Path

import pytest

from tasks.reports import read_report
from tests.project import Project

pytestmark = pytest.mark.slow

STAGES = ("ingest", "align", "triplets", "train", "evaluate", "register")
SMALL = {
    "align": {"image_size": 80},
    "train": {
        "network": "nn4_small2",
        "embedding_size": 64,
        "image_size": 66,
        "epochs": 1,
    },
    "register": {"gates": {"accuracy": 0.5, "coverage": 0.99}},
}


@pytest.fixture(scope="module")
def project(root: Path, tmp_path_factory: pytest.TempPathFactory) -> Project:
    project = Project(root, tmp_path_factory.mktemp("project"))
    project.change(SMALL)
    assert project.repro("make", "run") == list(STAGES)
    return project


def test_the_sample_goes_from_photos_to_a_registered_model(project: Project) -> None:
    reports = project.folder / "reports"
    assert read_report(reports / "ingest.json")["kept"] == 400
    assert read_report(reports / "align.json")["faces"] >= 396
    assert read_report(reports / "evaluation.json")["pairs_used"] == 900
    assert read_report(reports / "registration.json")["aliases"] == ["challenger"]
    table = project.run("facenet", "results")
    assert "facenet version 1" in table
    assert "challenger" in table
    assert "There was no champion" in (reports / "report.html").read_text()


def test_a_second_run_runs_nothing(project: Project) -> None:
    assert project.repro() == []


def test_deleted_outputs_come_back_from_the_cache(project: Project) -> None:
    weights = (project.folder / "models" / "facenet.safetensors").read_bytes()
    shutil.rmtree(project.folder / "data")
    shutil.rmtree(project.folder / "models")
    assert project.repro() == []
    assert (project.folder / "models" / "facenet.safetensors").read_bytes() == weights
    assert list((project.folder / "data" / "aligned").glob("faces-*.arrow"))


def test_an_evaluation_parameter_runs_evaluate_and_what_follows(project: Project) -> None:
    project.change({"evaluate": {"sweep": "grid"}})
    assert project.repro() == ["evaluate", "register"]
    project.change({"evaluate": {"sweep": "exact"}})
    assert project.repro() == []  # both outcomes are in DVC's cache


def test_promotion_makes_the_champion(project: Project) -> None:
    project.run("python", "-m", "flows.promotion")
    assert "champion" in project.run("python", "-m", "flows.promotion", "show")


def test_an_experiment_changes_one_number_and_shows_its_metrics(project: Project) -> None:
    assert project.repro("dvc", "exp", "run", "-S", "evaluate.flip=none") == ["evaluate", "register"]
    assert "accuracy" in project.run("dvc", "metrics", "show")
    page = (project.folder / "reports" / "report.html").read_text()
    assert "Beside the champion, version" in page
    assert "Pair by pair, on 900 pairs in common" in page
    project.change({"evaluate": {"flip": "concatenate"}})
    project.run("dvc", "repro")


def test_the_flow_finds_everything_up_to_date(project: Project) -> None:
    out = project.run("python", "-m", "flows.training")
    assert "accuracy 0." in out
    assert project.repro() == []


def test_tools_work_on_what_the_run_left(project: Project) -> None:
    project.run("python", "-m", "tasks.shards", "export", "faces/")
    assert len(list((project.folder / "faces").glob("*/*.png"))) == 400
    project.run("python", "-m", "tasks.shards", "show", "sheet.png")
    assert (project.folder / "sheet.png").stat().st_size > 0
    project.run("make", "data-docs")
    assert (project.folder / "reports" / "data-docs" / "index.html").exists()


def test_recipes_are_listed_and_applied(project: Project) -> None:
    assert "pretrained-lfw-view2" in project.run("make", "recipes")
    project.run("make", "recipe", "NAME=photos")
    assert "path: photos" in (project.folder / "params.yaml").read_text()
    project.run("make", "recipe", "NAME=arcface on-lfw-view1")
    text = (project.folder / "params.yaml").read_text()
    assert "loss: arcface" in text
    assert "kind: lfw" in text
