"""The whole pipeline as a user runs it: a copy of the project, `dvc repro`, and what DVC and MLflow promise.

The sample is real, the network small: NN4.Small2 and one epoch, so that a run takes about a minute. It trains
in fp32 and with small steps, so that two processes can be compared with one: with large steps a young network
amplifies rounding within an epoch, as it does in a single process with another number of threads.
"""

import csv
import re
import shutil
import sqlite3
from pathlib import Path

import mlcroissant
import pandas as pd
import pytest
import yaml

from faults.project import SMALL, Checkout, new_project
from tasks.labels.decision import Decision
from tasks.labels.decisions import append_decisions, write_decisions
from tasks.reports import read_report
from tasks.shards import read_table

pytestmark = pytest.mark.slow

STAGES = ("ingest", "align", "triplets", "train", "evaluate", "register")


@pytest.fixture(scope="module")
def project(root: Path, tmp_path_factory: pytest.TempPathFactory) -> Checkout:
    project = new_project(tmp_path_factory.mktemp("project"), SMALL)
    schedule = yaml.safe_load((root / "params.yaml").read_text())["train"]["schedule"]
    project.change({"base": {"precision": "fp32"}, "train": {"schedule": {**schedule, "rate": 0.00002}}})
    assert project.repro("make", "run") == list(STAGES)
    return project


def read_csv(path: Path) -> list[dict[str, str]]:
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def training_runs(project: Checkout) -> list[str]:
    """Return the ids of the MLflow runs started by the stage train."""
    with sqlite3.connect(project.folder / "mlflow.db") as store:
        return [run for (run,) in store.execute("SELECT run_uuid FROM tags WHERE key = 'checkpoints'")]


def test_the_sample_goes_from_photos_to_a_registered_model(project: Checkout) -> None:
    reports = project.folder / "reports"
    assert read_report(reports / "ingest.json")["kept"] == 400
    assert read_report(reports / "align.json")["faces"] >= 396
    assert read_report(reports / "evaluation.json")["pairs_used"] == 900
    assert read_report(reports / "registration.json")["aliases"] == ["challenger"]
    table = project.run("facenet", "results")
    assert "facenet version 1" in table
    assert "challenger" in table
    assert "There was no champion" in (reports / "report.html").read_text()


def test_a_second_run_runs_nothing(project: Checkout) -> None:
    assert project.repro() == []


def test_deleted_outputs_come_back_from_the_cache(project: Checkout) -> None:
    weights = (project.folder / "models" / "facenet.safetensors").read_bytes()
    shutil.rmtree(project.folder / "data")
    shutil.rmtree(project.folder / "models")
    assert project.repro() == []
    assert (project.folder / "models" / "facenet.safetensors").read_bytes() == weights
    assert list((project.folder / "data" / "aligned").glob("faces-*.arrow"))


def test_decisions_run_what_depends_on_them_and_all_outputs_agree(project: Checkout) -> None:
    """Trained for two steps only; the next test finds in DVC's cache what was there before the decisions."""
    folder, file = project.folder, project.folder / "labels" / "decisions.csv"
    rows = pd.read_parquet(folder / "data/raw/manifest.parquet").sort_values("path")
    trained, evaluated = (rows[rows["role"] == role].reset_index() for role in ("train", "evaluate"))
    other = next(name for name in trained["identity"] if name != trained["identity"][0])

    def decide(action: str, row: "pd.Series[str]", target: str = "") -> Decision:
        return Decision(row["image_id"], row["identity"], action, target, "eve", "2026-12-01T09:30:00Z")

    kept, moved, dropped = trained.loc[0], trained.loc[1], evaluated.loc[0]
    append_decisions(file, [decide("keep", kept), decide("move", moved, other), decide("drop", dropped)])
    project.change({"train": {"steps_per_epoch": 2}})
    assert project.repro() == list(STAGES)
    after = pd.read_parquet(folder / "data/raw/manifest.parquet").set_index("image_id")
    found = {
        row["image_id"]: tuple(after.loc[row["image_id"]][["identity", "status"]]) for row in (kept, moved)
    }
    assert list(found.values()) == [(kept["identity"], "kept"), (other, "kept")]
    assert after.loc[moved["image_id"]]["reason"].endswith(
        f"to {other} by labels/decisions.csv, line 3 (eve)."
    )
    assert after.loc[dropped["image_id"]]["reason"] == "Dropped by labels/decisions.csv, line 4 (eve)."
    faces = read_table(folder / "data" / "aligned", "faces").select(["image_id", "identity"]).to_pylist()
    identities = {row["image_id"]: row["identity"] for row in faces}
    assert identities == after[after["status"] == "kept"]["identity"].to_dict()
    pairs = pd.read_parquet(folder / "data/raw/pairs.parquet")
    assert dropped["image_id"] not in {*pairs["left"], *pairs["right"]}
    counted = read_report(folder / "reports" / "ingest.json")["decisions"]["photos"]
    assert counted == {"keep": 1, "drop": 1, "move": 1, "merge": 0, "split": 0}
    assert "Decisions about photos and people" in (folder / "reports" / "report.html").read_text()
    card = mlcroissant.Dataset(folder / "reports" / "dataset_card.json")
    assert [row["photos/status"] for row in card.records("photos")].count(b"dropped") == 1
    assert "| move | 1 | 1 |" in (folder / "reports" / "dataset_card.md").read_text()
    project.change({"train": {"steps_per_epoch": None}})
    write_decisions(file, [])


def test_a_training_parameter_runs_train_and_what_follows(project: Checkout) -> None:
    assert project.repro("dvc", "exp", "run", "-S", "train.margin=0.3") == ["train", "evaluate", "register"]
    project.change({"train": {"margin": 0.2}})
    assert project.repro() == []


def test_a_sweep_finds_what_was_trained_and_leaves_the_workspace(project: Checkout) -> None:
    params = (project.folder / "params.yaml").read_bytes()
    weights = (project.folder / "models" / "facenet.safetensors").read_bytes()
    out = project.run("python", "-m", "flows.sweep", "--grid", "train.margin=0.2,0.3")
    assert "outputs taken from DVC's cache" in out
    assert set(re.findall(r"Running stage '(\w+)'", out)) <= {"fingerprint", "inputs"}
    rows = read_csv(project.folder / "reports" / "sweep.csv")
    assert {row["train.margin"] for row in rows} == {"0.2", "0.3"}
    assert all(row["accuracy_low"] < row["accuracy"] < row["accuracy_high"] for row in rows)
    assert rows[0]["accuracy"] >= rows[1]["accuracy"]
    assert (project.folder / "params.yaml").read_bytes() == params
    assert (project.folder / "models" / "facenet.safetensors").read_bytes() == weights
    assert project.repro() == []
    assert not (project.folder / ".dvc" / "tmp" / "sweep").exists()


def test_an_experiment_changes_one_parameter_and_shows_its_metrics(project: Checkout) -> None:
    project.run(
        "python",
        "-c",
        "from tasks.promotion import aliases; from tasks.params import load_params; "
        "print(aliases.promote(load_params().register).reason)",
    )
    assert project.repro("dvc", "exp", "run", "-S", "evaluate.flip=none") == ["evaluate", "register"]
    assert "accuracy" in project.run("dvc", "metrics", "show")
    page = (project.folder / "reports" / "report.html").read_text()
    assert "Compared with the champion, version" in page
    assert "Pair by pair, on 900 pairs in common" in page
    project.change({"evaluate": {"flip": "concatenate"}})
    assert project.repro() == []  # both outcomes are in DVC's cache


def test_the_flow_finds_everything_up_to_date(project: Checkout) -> None:
    out = project.run("python", "-m", "flows.training")
    assert "accuracy 0." in out
    assert project.repro() == []


def test_two_processes_train_like_one_and_dvc_records_the_result(project: Checkout) -> None:
    """Started as in docs/how-to/training.md, on the real stage: same losses, one report, one MLflow run."""
    one, runs = read_report(project.folder / "reports" / "train.json"), training_runs(project)
    launch = ("accelerate", "launch", "--multi_gpu", "--num_processes", "2", "--main_process_port", "0")
    out = project.run(*launch, "-m", "tasks.train")
    two = read_report(project.folder / "reports" / "train.json")
    assert out.count("epochs of") == 1, "only the main process reports"
    assert (one["processes"], two["processes"]) == (1, 2)
    assert two["steps"] == one["steps"] > 5
    assert two["loss"] == pytest.approx(one["loss"], rel=1e-4)
    assert two["figures"]["gradient_norm"] == pytest.approx(one["figures"]["gradient_norm"], rel=1e-2)
    assert len(training_runs(project)) == len(runs) + 1
    project.run("dvc", "commit", "--force", "train")
    assert "train:" not in project.run("dvc", "status").splitlines()


def test_tools_work_on_the_outputs(project: Checkout) -> None:
    project.run("python", "-m", "tasks.shards", "export", "faces/")
    assert len(list((project.folder / "faces").glob("*/*.png"))) == 400
    project.run("python", "-m", "tasks.shards", "show", "sheet.png")
    assert (project.folder / "sheet.png").stat().st_size > 0
    project.run("make", "data-docs")
    assert (project.folder / "reports" / "data-docs" / "index.html").exists()


def test_recipes_are_listed_and_applied(project: Checkout) -> None:
    assert "on-lfw-view2" in project.run("make", "recipes")
    project.run("make", "recipe", "NAME=photos")
    assert "path: photos" in (project.folder / "params.yaml").read_text()
    project.run("make", "recipe", "NAME=arcface on-lfw-view1")
    text = (project.folder / "params.yaml").read_text()
    assert "loss: arcface" in text
    assert "kind: lfw" in text
