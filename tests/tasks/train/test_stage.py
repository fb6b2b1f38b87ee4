import csv
import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch
import yaml
from mlflow import MlflowClient
from pydantic import TypeAdapter
from safetensors.torch import load_file

from facenet import networks
from facenet.devices import cpu_threads
from facenet.errors import ParamsInvalid, WeightsInvalid
from facenet.model import ModelCard, load_model
from facenet.training import StepReport
from tasks.params import Params
from tasks.train.record import Recorder
from tasks.train.stage import run
from tests.tasks.train.conftest import PEOPLE, PHOTOS, places, plan_triplets, small_params

REPORT = ("epochs", "steps", "images_per_second", "resumed", "loss", "minutes", "device", "precision")
# Runs the stage as the command line does, checkpoints after every step, and signals itself at a given step.
CHILD = """
import os, sys
from tasks.entry import stage_main
from tasks.params import load_params
from tasks.train.record import Recorder
from tasks.train.stage import run

number, at, inner = int(sys.argv[1]), int(sys.argv[2]), Recorder.step

def step(self, report):
    inner(self, report)
    if report.step == at:
        os.kill(os.getpid(), number)

Recorder.step = step
stage_main(lambda: run(load_params(), checkpoint_seconds=0.0))
"""


@pytest.fixture
def trained(workspace: Path, root: Path) -> dict[str, Any]:
    return run(small_params(root), places(workspace))


def test_it_writes_model_history_and_metrics(workspace: Path, root: Path, trained: dict[str, Any]) -> None:
    assert all(name in trained for name in REPORT)
    assert (trained["epochs"], trained["steps"], trained["resumed"]) == (2, 6, False)
    assert (trained["images"], trained["identities"]) == (6 * PHOTOS, 6)
    network, card = load_model(workspace / "models/facenet.safetensors", workspace / "models/model.json")
    assert sum(p.numel() for p in network.parameters()) == trained["parameters"]
    assert card.weights_sha256 == trained["weights_sha256"]
    assert card.align["image_size"] == 76
    assert card.network.variant == "openface"
    assert set(card.params) == {"base", "align", "triplets", "train"}
    assert set(card.data) == {"aligned", "triplets"}
    with (workspace / "reports/history.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert [row["epoch"] for row in rows] == ["1", "2"]
    assert float(rows[-1]["loss"]) == pytest.approx(trained["loss"], rel=1e-5)
    assert 0.5 <= float(rows[-1]["validation_accuracy"]) <= 1
    assert (workspace / "reports/history.png").read_bytes().startswith(b"\x89PNG")
    assert not list((workspace / "models/checkpoints").iterdir())


@pytest.mark.parametrize("select", ["last", "best"])
def test_card_and_report_say_which_epoch_the_model_is_of(workspace: Path, root: Path, select: str) -> None:
    """The learning rate ruins the last epochs, so that the best one is not the last."""
    schedule = {"kind": "steps", "rate": 1.0, "warmup": 0.0, "steps": {0: 0.001, 2: 0.5}}
    train = {"select": select, "epochs": 3, "schedule": schedule, "optimizer": "adam"}
    report = run(small_params(root, train=train), places(workspace))
    assert report is not None
    with (workspace / "reports/history.csv").open() as file:
        accuracies = [float(row["validation_accuracy"]) for row in csv.DictReader(file)]
    best = 1 + accuracies.index(max(accuracies))
    assert best < 3
    epoch = best if select == "best" else 3
    selection = ModelCard.read(workspace / "models/model.json").selection
    assert selection == report["selection"]
    assert (selection["rule"], selection["epoch"], selection["epochs"]) == (select, epoch, 3)
    assert report["validation"]["accuracy"] == pytest.approx(accuracies[epoch - 1], abs=1e-5)


def test_best_without_validation_is_rejected_before_training(workspace: Path, root: Path) -> None:
    params = small_params(root, triplets={"validation_fraction": 0.0}, train={"select": "best"})
    plan_triplets(workspace, params)
    with pytest.raises(ParamsInvalid, match=r"train\.select best requires validation"):
        run(params, places(workspace))


def test_the_options_of_the_published_systems_train_together(
    workspace: Path, root: Path, tmp_path: Path
) -> None:
    """Center loss as in Deeplearning4j, and epochs and schedule as in davidsandberg/facenet."""
    (tmp_path / "lr.txt").write_text("0: 0.1 # start\n2: 0.01\n3: -1\n")
    train = {
        "loss": "softmax_squared", "center_factor": 1e-4, "center_version": "dl4j", "center_rate": 0.9,
        "gradient_normalisation": "l2_loss_layer", "optimizer": "adamw_tf", "epsilon": 0.01,
        "steps_per_epoch": 5, "epochs": 9, "batch_size": 8,
        "schedule": {"kind": "steps", "rate": 1.0, "warmup": 0.0, "file": str(tmp_path / "lr.txt")},
    }  # fmt: skip
    report = run(small_params(root, train=train), places(workspace))
    assert report is not None
    assert (report["epochs"], report["steps"]) == (2, 10)
    with (workspace / "reports/history.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert [row["lr"] for row in rows] == ["0.1", "0.01"]
    assert all(float(row["loss"]) > 0 for row in rows)


def test_mlflow_has_params_metrics_data_and_files(workspace: Path, trained: dict[str, Any]) -> None:
    card = ModelCard.read(workspace / "models/model.json")
    assert card.run_id
    client = MlflowClient(f"sqlite:///{workspace / 'mlflow.db'}")
    found = client.get_run(card.run_id)
    assert found.info.status == "FINISHED"
    assert str(found.info.run_name).startswith("nn4_small2 cosface on orl")
    assert found.data.params["train.network"] == "nn4_small2"
    assert found.data.params["resolved.precision"] == "fp32"
    assert found.data.metrics["epoch/loss"] == pytest.approx(trained["loss"])
    assert {m.step for m in client.get_metric_history(card.run_id, "validation/accuracy")} == {1, 2}
    digests = {d.dataset.name: json.loads(d.dataset.source)["digest"] for d in found.inputs.dataset_inputs}
    assert digests == card.data
    assert {f.path for f in client.list_artifacts(card.run_id, "reports")} == {
        "reports/history.csv",
        "reports/history.png",
    }


def test_the_same_run_gives_the_same_files(workspace: Path, root: Path, trained: dict[str, Any]) -> None:
    names = ("models/facenet.safetensors", "reports/history.png")
    before = {name: (workspace / name).read_bytes() for name in names}
    card = json.loads((workspace / "models/model.json").read_text())
    assert run(small_params(root), places(workspace))["weights_sha256"] == trained["weights_sha256"]
    assert {name: (workspace / name).read_bytes() for name in names} == before
    again = json.loads((workspace / "models/model.json").read_text())
    assert {**card, "mlflow": None} == {**again, "mlflow": None}


def given_weights(folder: Path, **options: Any) -> Path:
    torch.manual_seed(11)
    network = networks.build("nn4_small2", **{"embedding_size": 16, **options})
    path = folder / "given.pt"
    torch.save({**network.state_dict(), "logits.weight": torch.zeros(5, 16)}, path)
    return path


def test_no_epochs_make_a_model_of_given_weights(
    workspace: Path, root: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    given = given_weights(tmp_path)
    monkeypatch.setenv("FACENET_MIRRORS", str(tmp_path))
    params = small_params(root, train={"epochs": 0, "init": given.name})
    metrics = run(params, places(workspace))
    assert (metrics["epochs"], metrics["loss"], metrics["images_per_second"]) == (0, None, 0.0)
    saved, expected = load_file(workspace / "models/facenet.safetensors"), torch.load(given)
    assert all(torch.equal(saved[name], expected[name]) for name in saved)
    assert (workspace / "reports/history.csv").read_text().startswith("epoch,loss,lr,")


def test_no_epochs_and_no_weights_make_the_untrained_network_of_the_seed(workspace: Path, root: Path) -> None:
    params = small_params(root, train={"epochs": 0})
    torch.manual_seed(params.base.seed)
    fresh = networks.build("nn4_small2", embedding_size=16).state_dict()
    run(params, places(workspace))
    saved = load_file(workspace / "models/facenet.safetensors")
    assert all(torch.equal(saved[name], fresh[name]) for name in saved)


def test_incompatible_weights_are_reported_with_the_difference(
    workspace: Path, root: Path, tmp_path: Path
) -> None:
    given = given_weights(tmp_path, embedding_size=32)
    with pytest.raises(WeightsInvalid, match="embedding_size to 32"):
        run(small_params(root, train={"init": str(given)}), places(workspace))


def test_other_weights_give_another_training(workspace: Path, root: Path, tmp_path: Path) -> None:
    given = given_weights(tmp_path)
    first = run(small_params(root, train={"epochs": 1}), places(workspace))
    second = run(small_params(root, train={"epochs": 1, "init": str(given)}), places(workspace))
    assert first["weights_sha256"] != second["weights_sha256"]


def test_fine_tuning_changes_what_is_not_frozen_and_records_the_standardisation(
    workspace: Path, root: Path, tmp_path: Path
) -> None:
    given = given_weights(tmp_path)
    options = {"freeze_to": "inception_4e", "ema": 0.9, "clip_norm": 1.0, "accumulate": 2, "epochs": 1}
    colours = {"rotation": 10.0, "brightness": 0.1, "contrast": 0.2, "saturation": 0.2, "hue": 0.05}
    train = {**options, **colours, "init": str(given), "standardisation": "per_image"}
    run(small_params(root, train=train), places(workspace))
    network, card = load_model(workspace / "models/facenet.safetensors", workspace / "models/model.json")
    assert card.standardisation == "per_image"
    before, after = torch.load(given), network.state_dict()
    moved = {name.split(".")[0] for name in after if not torch.equal(before[name], after[name])}
    assert moved == {"inception_5a", "inception_5b", "last_linear"}


def test_an_unknown_layer_is_reported_before_training(workspace: Path, root: Path) -> None:
    with pytest.raises(ParamsInvalid, match=r"no layer 'mixed_6a'.*inception_3a"):
        run(small_params(root, train={"freeze_to": "mixed_6a"}), places(workspace))


@pytest.mark.parametrize("plan", ["pk", "triplets"])
def test_triplet_loss_reports_its_metrics(workspace: Path, root: Path, plan: str) -> None:
    params = small_params(root, triplets={"plan": plan}, train={"loss": "triplet", "epochs": 1})
    plan_triplets(workspace, params)
    metrics = run(params, places(workspace))
    assert {"active_share", "d_ap", "d_an", "spread", "candidates"} <= set(metrics["figures"])
    assert metrics["images"] == 6 * PHOTOS


def test_a_batch_larger_than_the_set_and_no_validation_people(workspace: Path, root: Path) -> None:
    params = small_params(
        root, triplets={"validation_fraction": 0.0}, train={"batch_size": 1000, "epochs": 1}
    )
    plan_triplets(workspace, params)
    metrics = run(params, places(workspace))
    assert (metrics["steps"], metrics["validation"]) == (1, {})


def test_too_small_images_are_rejected(workspace: Path, root: Path) -> None:
    with pytest.raises(ParamsInvalid, match="at least 65 pixels"):
        run(small_params(root, train={"image_size": 50}), places(workspace))


def train_in_child(workspace: Path, root: Path, *, signal_at: tuple[int, int]) -> tuple[int, str]:
    """Train in a process of its own, sent a signal at a step; return exit code and stderr."""
    done = subprocess.run(
        [sys.executable, "-c", CHILD, *map(str, signal_at)],
        cwd=workspace,
        env={**os.environ, "PYTHONPATH": str(root)},
        stderr=subprocess.PIPE,
        text=True,
        check=False,
    )
    return done.returncode, done.stderr


def kept_step(workspace: Path) -> tuple[Path, int]:
    """Return the folder of the only checkpoint, and the steps it has done."""
    (last,) = (workspace / "models/checkpoints").glob("*/last.pt")
    return last.parent, torch.load(last, weights_only=True)["step"]


@pytest.mark.slow
def test_a_run_killed_twice_ends_like_the_uninterrupted_one(
    workspace: Path, root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Of triplets that are mined before each epoch: what was mined is in the checkpoint, too."""
    triplets = {"plan": "triplets", "remine": "epoch", "max_rows": 12}
    train = {"epochs": 4, "loss": "triplet", "mining": "listed", "margin": 1.0}
    params = small_params(root, triplets=triplets, train=train)
    plan_triplets(workspace, params)
    text = yaml.safe_dump(TypeAdapter(Params).dump_python(params, mode="json"))
    (workspace / "params.yaml").write_text(text)
    whole = run(params, places(workspace))
    client = MlflowClient(f"sqlite:///{workspace / 'mlflow.db'}")

    code, output = train_in_child(workspace, root, signal_at=(signal.SIGKILL, 5))
    assert code == -signal.SIGKILL, output
    folder, step = kept_step(workspace)
    outbox = workspace / "data/outbox" / json.loads((folder / "run.json").read_text())["outbox"]
    assert step == 4, "the step that was under way is lost"

    code, output = train_in_child(workspace, root, signal_at=(signal.SIGTERM, 8))
    assert code == 143, output
    assert kept_step(workspace) == (folder, 8), "the current step is in the checkpoint"
    assert json.loads((outbox / "records.jsonl").read_text().splitlines()[-1])["status"] == "KILLED"

    capsys.readouterr()
    metrics = run(params, places(workspace))
    output = capsys.readouterr().err
    assert "resuming after step 8" in output
    assert "threads" not in output
    assert metrics["resumed"] is True
    for name in ("weights_sha256", "loss", "figures", "validation", "steps"):
        assert metrics[name] == whole[name]
    assert not folder.exists()
    _, run_found = client.search_runs(["1"], order_by=["attributes.start_time"])
    assert run_found.data.tags["outbox"] == outbox.name
    assert ModelCard.read(workspace / "models/model.json").run_id == run_found.info.run_id
    assert run_found.info.status == "FINISHED"
    epochs = client.get_metric_history(run_found.info.run_id, "epoch/loss")
    assert [point.step for point in epochs] == [1, 2, 3, 4], "each epoch once, although some ran twice"
    assert not outbox.exists()


def test_a_resume_with_other_threads_says_that_bits_may_differ(
    workspace: Path, root: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    params = small_params(root, train={"epochs": 1})

    def interrupted(after: int) -> str:
        """Train until Ctrl-C comes in a step, and return the output before the progress bar."""

        def step(recorder: Recorder, report: StepReport) -> None:
            if report.step == after:
                raise KeyboardInterrupt

        monkeypatch.setattr(Recorder, "step", step)
        with pytest.raises(KeyboardInterrupt):
            run(params, places(workspace), checkpoint_seconds=0.0)
        return capsys.readouterr().err.partition("train:")[0]

    with cpu_threads(2):
        assert "threads" not in interrupted(after=2)
        assert "threads" not in interrupted(after=3)
    with cpu_threads(1):
        (line,) = [line for line in interrupted(after=3).splitlines() if "threads" in line]
    assert line.startswith(
        "The checkpoint was written with 2 threads, but this run has 1. Its weights may differ"
    )
    assert "OMP_NUM_THREADS=2" in line


def test_unfinished_runs_of_other_parameters_are_mentioned(
    workspace: Path, root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    other = workspace / "models/checkpoints/0123456789abcdef/last.pt"
    other.parent.mkdir(parents=True)
    other.write_bytes(b"half")
    run(small_params(root, train={"epochs": 0}), places(workspace))
    output = capsys.readouterr().err
    assert "nn4_small2" in output.splitlines()[0]
    assert f"{6 * PHOTOS} images of 6 people" in output.splitlines()[0]
    assert "has 1 unfinished runs with other parameters" in output
    assert other.exists()


def test_a_split_by_images_is_validated_by_the_head(workspace: Path, root: Path) -> None:
    split = {"split": "images", "validation_fraction": 0.2}  # one photo of five: no same pairs
    params = small_params(root, triplets=split, train={"epochs": 2})
    plan_triplets(workspace, params)
    report = run(params, places(workspace))
    assert report is not None
    assert set(report["validation"]) == {"cross_entropy", "classification_accuracy"}
    assert 0 <= report["validation"]["classification_accuracy"] <= 1
    closed = report["closed_set"]
    assert (closed["images"], closed["identities"]) == (PEOPLE, PEOPLE)
    assert closed["accuracy"] == pytest.approx(report["validation"]["classification_accuracy"])
    assert {entry["identity"] for entry in closed["most_confused"]} <= {f"s{n}" for n in range(1, PEOPLE + 1)}
    with (workspace / "reports" / "history.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert [float(row["validation_cross_entropy"]) > 0 for row in rows] == [True, True]
