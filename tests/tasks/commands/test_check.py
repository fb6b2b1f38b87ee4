"""The check before the stages: what only a late stage would refuse is refused first, all of it at once."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from facenet.networks import NETWORKS
from tasks.commands.check import check
from tasks.commands.recipes import compose, recipe_names
from tasks.entry import CheckFailed
from tasks.params import parse_params
from tests.tasks.params.changed import parsed, text


@pytest.fixture(autouse=True)
def workspace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("DVC_ROOT", str(tmp_path))
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    monkeypatch.delenv("FACENET_MIRRORS", raising=False)
    return tmp_path


def failure(changes: dict[str, Any]) -> str:
    with pytest.raises(CheckFailed) as raised:
        check(parsed(changes))
    return str(raised.value)


@pytest.mark.parametrize("name", NETWORKS)
def test_every_network_passes(name: str) -> None:
    check(parsed({"train.network": name, "align.image_size": 224, "train.image_size": 224}))


def test_every_recipe_without_given_weights_passes(root: Path) -> None:
    for name in recipe_names(root / "recipes"):
        params = parse_params(compose(name, folder=root / "recipes"))
        if params.train.init in (None, "dlib"):
            check(params)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"train.network": "resnet"}, "resnet"),
        ({"train.variant": "tiny"}, "has no variant 'tiny'"),
        ({"train.image_size": 20}, "train.image_size"),
        ({"train.freeze_to": "conv99"}, "has no layer 'conv99'"),
        ({"train.init": "nowhere.safetensors"}, "nowhere.safetensors was not found"),
        ({"base.device": "mps"}, "The device 'mps' (base.device"),
        ({"base.device": "cpu", "base.precision": "fp16"}, "A CPU cannot train in fp16"),
        ({"align.margin_in": "output", "align.margin": 112}, "margin"),
        ({"train.schedule.kind": "steps"}, "train.schedule.steps"),
        ({"train.loss": "triplet", "triplets.plan": "pk", "train.center_factor": 0.1}, "center_factor"),
    ],
)
def test_what_a_late_stage_would_refuse_is_refused(changes: dict[str, Any], message: str) -> None:
    assert message in failure(changes)


def test_all_problems_are_reported_together(workspace: Path) -> None:
    (workspace / "reports").write_text("")
    (workspace / "mlflow.db").write_text("not a database")
    lines = failure({"base.device": "mps", "train.variant": "tiny"}).splitlines()
    assert lines[0] == "The pipeline would fail later:"
    assert len(lines) == 5
    assert lines[1] == "* reports is a file, and a folder is needed there: move it away."
    assert "mlflow.db is not an SQLite database" in lines[2]


@pytest.mark.parametrize("changes", [{"train.network": "resnet"}, {"train.variant": "tiny"}])
def test_a_problem_that_fails_several_checks_is_reported_once(changes: dict[str, Any]) -> None:
    assert len(failure(changes).splitlines()) == 2


def test_damaged_weights_are_found(workspace: Path) -> None:
    (workspace / "weights.safetensors").write_bytes(b"not weights")
    assert "weights.safetensors" in failure({"train.init": "weights.safetensors"})


def test_a_folder_that_cannot_be_written_to_is_named(workspace: Path) -> None:
    (workspace / "models").symlink_to("/proc/self")  # not even root can create files there
    assert "* models cannot be written to: " in failure({})


def test_the_check_leaves_no_files(workspace: Path) -> None:
    check(parsed({}))
    assert {path.name for path in workspace.rglob("*")} == {"data", "models", "reports"}


def run(module: str, workspace: Path, root: Path) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-m", module]
    return subprocess.run(
        command, cwd=workspace, capture_output=True, text=True, env={"PYTHONPATH": str(root)}
    )


@pytest.mark.parametrize("module", ["tasks.commands.check", "tasks.ingest", "tasks.align"])
def test_ingest_and_align_check_first(module: str, workspace: Path, root: Path) -> None:
    (workspace / "params.yaml").write_text(text({"train.network": "resnet"}))
    done = run(module, workspace, root)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("CheckFailed: The pipeline would fail later:\n* ")
    assert "resnet" in done.stderr
    assert "Traceback" not in done.stderr
    assert not list((workspace / "data").rglob("*"))


def test_invalid_parameters_are_one_message(workspace: Path, root: Path) -> None:
    (workspace / "params.yaml").write_bytes("base: Größe".encode("latin-1"))
    done = run("tasks.commands.check", workspace, root)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == (
        "ParamsInvalid: params.yaml is not encoded in UTF-8: byte 0xf6 in line 1. Save it as UTF-8.\n"
    )
