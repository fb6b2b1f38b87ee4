"""The sweep flow on a tiny pipeline of real stages, with real Prefect and MLflow."""

import csv
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from prefect.client.orchestration import get_client

from facenet.errors import ParamsInvalid
from flows.sweep import parse, sweep
from tasks.tracking import registry
from tasks.tracking.store import client as mlflow_client

TRAIN = """
import json, pathlib, yaml
params = yaml.safe_load(pathlib.Path("params.yaml").read_text())["train"]
if params["margin"] == 0.9:
    raise ValueError("margin 0.9 diverges")
pathlib.Path("models").mkdir(exist_ok=True)
pathlib.Path("models/model.json").write_text(json.dumps({**params, "mlflow": {"run_id": "trained"}}))
"""
EVALUATE = """
import json, pathlib
accuracy = 0.5 + json.loads(pathlib.Path("models/model.json").read_text())["margin"]
metrics = {"accuracy": accuracy, "accuracy_interval": [accuracy - 0.1, accuracy + 0.1],
           "val": 0.1, "auc": 0.9, "eer": 0.2, "protocol": "tiny"}
pathlib.Path("reports/evaluation.json").write_text(json.dumps(metrics))
"""

REGISTER = """
import json, os, pathlib
from mlflow import MlflowClient
client = MlflowClient(os.environ["MLFLOW_TRACKING_URI"])
digest = json.loads(pathlib.Path("reports/evaluation.json").read_text())["accuracy"]
if not client.search_registered_models("name = 'facenet'"):
    client.create_registered_model("facenet")
found = [v for v in client.search_model_versions("name = 'facenet'") if v.tags["digest"] == str(digest)]
version = found[0] if found else client.create_model_version(
    "facenet", source="s3://nowhere/model", tags={"digest": str(digest)}
)
client.set_registered_model_alias("facenet", "challenger", version.version)
receipt = {"model": "facenet", "version": int(version.version), "digest": str(digest)}
pathlib.Path("reports/registration.json").write_text(json.dumps(receipt))
"""


@pytest.fixture
def sweepable(workspace: Any, root: Path) -> Any:
    """The tiny pipeline with a train stage that reads params.yaml, up to date."""
    (workspace.root / "params.yaml").write_text((root / "recipes" / "default.yaml").read_text())
    workspace.command("train", TRAIN)
    workspace.command("evaluate", EVALUATE)
    workspace.stages["train"] |= {"params": ["train"], "outs": ["models/model.json"]}
    workspace.stages["evaluate"]["deps"].append("models/model.json")
    workspace.command("register", REGISTER)
    workspace.stages["register"]["deps"].append("reports/evaluation.json")
    (workspace.root / "dvc.yaml").write_text(yaml.safe_dump({"stages": workspace.stages}))
    subprocess.run([sys.executable, "-m", "dvc", "repro", "-q", "evaluate"], check=True)
    return workspace


def start(*words: str, root: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "flows.sweep", *words]
    return subprocess.run(
        command, env={**os.environ, "PYTHONPATH": str(root)}, capture_output=True, text=True, timeout=300
    )


def files(folder: Path) -> dict[str, bytes]:
    """All files of the workspace that a user sees."""
    seen = [path for path in sorted(folder.rglob("*")) if path.is_file() and ".dvc" not in path.parts]
    return {str(path): path.read_bytes() for path in seen if path.name not in ("sweep.csv", "sweep.png")}


def mlflow_runs() -> list[Any]:
    client = mlflow_client()
    (experiment,) = [e for e in client.search_experiments() if e.name == "facenet"]
    return sorted(client.search_runs([experiment.experiment_id]), key=lambda run: run.info.run_name)


@pytest.mark.slow
def test_points_are_run_compared_and_counted_and_the_workspace_does_not_change(
    sweepable: Any, root: Path, api: str
) -> None:
    before = files(sweepable.root)
    grid = ("--grid", "train.margin=0.35,0.2,0.9", "--grid", "train.epochs=2,-1")
    done = start(*grid, root=root)
    output = done.stdout + done.stderr
    assert done.returncode == 1, output
    assert "4 of 6 points failed. Best accuracy 0.8500: train.margin=0.35 train.epochs=2" in output
    assert "0.35          2             0.850000" in output
    warning = output.index("train.margin=0.35 train.epochs=-1 will fail")
    assert warning < output.index("train: ran in")
    assert files(sweepable.root) == before
    assert not (sweepable.root / ".dvc/tmp/sweep").exists()

    with Path("reports/sweep.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [(row["train.margin"], row["train.epochs"], row["accuracy"]) for row in rows] == [
        ("0.35", "2", "0.850000"),
        ("0.2", "2", "0.700000"),
        ("0.35", "-1", ""),
        ("0.2", "-1", ""),
        ("0.9", "2", ""),
        ("0.9", "-1", ""),
    ]
    assert (rows[0]["accuracy_low"], rows[0]["accuracy_high"]) == ("0.750000", "0.950000")
    assert rows[4]["error"].startswith("Stage train failed with exit code")
    check_mlflow()
    check_artifact()


def check_mlflow() -> None:
    parent, *children = mlflow_runs()
    assert (parent.info.run_name, parent.info.status) == ("sweep train.margin x train.epochs", "FINISHED")
    assert parent.data.metrics["best_accuracy"] == pytest.approx(0.85)
    assert (parent.data.metrics["points"], parent.data.metrics["failed_points"]) == (6, 4)
    stored = mlflow_client().list_artifacts(parent.info.run_id, "reports")
    assert sorted(Path(file.path).name for file in stored) == ["sweep.csv", "sweep.png"]
    assert len(children) == 6
    assert {child.data.tags["mlflow.parentRunId"] for child in children} == {parent.info.run_id}
    good = [child for child in children if child.info.status == "FINISHED"]
    assert [child.data.params["train.margin"] for child in good] == ["0.2", "0.35"]
    assert [child.data.metrics["accuracy"] for child in good] == pytest.approx([0.7, 0.85])
    assert [child.data.metrics["accuracy_low"] for child in good] == pytest.approx([0.6, 0.75])
    assert {child.data.tags["training_run"] for child in good} == {"trained"}
    assert [child.info.status for child in children].count("FAILED") == 4


def check_artifact() -> None:
    with get_client(sync_client=True) as client:
        found = [artifact for artifact in client.read_artifacts() if artifact.key == "sweep"]
    assert '"train.margin": "0.35"' in str(found[-1].data)


@pytest.mark.slow
def test_a_repeated_sweep_uses_the_cache_and_registers_on_request_with_the_best_as_challenger(
    sweepable: Any, api: str, caplog: pytest.LogCaptureFixture
) -> None:
    grid: Any = {"train.margin": [0.35, 0.2]}
    assert sweep(grid, return_state=True).is_completed()
    before = Path("reports/sweep.csv").read_bytes()
    assert "Running stage 'train'" in caplog.text
    assert "Running stage 'register'" not in caplog.text
    caplog.clear()
    state = sweep(grid, register_models=True, return_state=True)
    assert state.message == (
        "Points: 2. Best accuracy 0.8500: train.margin=0.35. "
        "It is facenet version 1 (challenger): python -m flows.promotion --version 1"
    )
    assert "Running stage 'train'" not in caplog.text
    assert caplog.text.count("Running stage 'register'") == 2
    assert registry.aliases("facenet") == {"challenger": 1}  # though version 2 was registered last
    assert Path("reports/sweep.csv").read_bytes() == before
    caplog.clear()
    mlflow_client().delete_model_version("facenet", "2")  # DVC restores its receipt, but not the version
    assert sweep(grid, register_models=True, return_state=True).is_completed()
    assert caplog.text.count("Running stage 'register'") == 1
    assert registry.aliases("facenet") == {"challenger": 1}


@pytest.mark.slow
def test_values_may_be_mappings_and_contain_braces(sweepable: Any, api: str, task_runs: Any) -> None:
    grid: Any = {
        "train.schedule": [{"kind": "cosine", "rate": 0.1, "warmup": 0.0}],
        "train.init": ["{a}$b%s{"],
    }
    state = sweep(grid, return_state=True)
    assert state.is_completed(), state.message
    (run,) = task_runs(state)
    assert run.name == "train.schedule={kind: cosine, rate: 0.1, warmup: 0.0} train.init='{a}$b%s{'"
    with Path("reports/sweep.csv").open(newline="") as file:
        (row,) = csv.DictReader(file)
    assert (row["train.schedule"], row["train.init"]) == (
        "{kind: cosine, rate: 0.1, warmup: 0.0}",
        "'{a}$b%s{'",
    )


def test_an_unknown_key_is_refused_before_anything_runs(sweepable: Any, root: Path, api: str) -> None:
    done = start("--grid", "train.margn=0.2", root=root)
    assert done.returncode == 1
    assert "params.yaml has no parameter train.margn. train has " in done.stderr
    assert not Path("reports/sweep.csv").exists()
    assert [run for run in mlflow_client().search_experiments() if run.name == "facenet"] == []


def test_a_repeated_axis_is_refused() -> None:
    options = parse(["--grid", "train.margin=0.2,0.3", "--grid", "train.loss=arcface", "--metric", "eer"])
    assert options.grid == {"train.margin": [0.2, 0.3], "train.loss": ["arcface"]}
    assert (options.metric, options.register) == ("eer", False)
    with pytest.raises(ParamsInvalid, match=r"--grid repeats train\.margin"):
        parse(["--grid", "train.margin=0.2", "--grid", "train.margin=0.3"])


def test_served_runs_need_evaluated_annotations(root: Path) -> None:
    assert "from __future__ import annotations" not in (root / "flows" / "sweep.py").read_text()
