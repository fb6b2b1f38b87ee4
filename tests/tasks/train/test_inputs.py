"""The files that section train names are dependencies of the stage, whatever their name says."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from facenet.digests import file_digest
from facenet.errors import DownloadFailed
from tasks.params.train import TrainParams
from tasks.train.inputs import record_inputs
from tests.tasks.train.conftest import small_params


def recorded(params: TrainParams, folder: Path) -> dict[str, Any]:
    target = folder / "data" / "train_inputs.json"
    record_inputs(params, target, downloads=folder / "downloads")
    entries: dict[str, Any] = json.loads(target.read_text())
    return entries


def test_weights_and_schedule_are_recorded_with_their_digests(root: Path, tmp_path: Path) -> None:
    (tmp_path / "downloads").mkdir()
    weights, schedule = tmp_path / "downloads" / "given.pt", tmp_path / "lr.txt"
    weights.write_bytes(b"weights")
    schedule.write_text("0: 0.1\n")
    table = {"kind": "steps", "rate": 1.0, "warmup": 0.0, "file": str(schedule)}
    params = small_params(root, train={"init": "given.pt", "schedule": table}).train
    first = recorded(params, tmp_path)
    assert first == {
        "init": {"name": "given.pt", "sha256": file_digest(weights)},
        "schedule": {"name": str(schedule), "sha256": file_digest(schedule)},
    }
    weights.write_bytes(b"other weights")
    schedule.write_text("0: 0.2\n")
    second = recorded(params, tmp_path)
    assert second["init"]["sha256"] == file_digest(weights) != first["init"]["sha256"]
    assert second["schedule"]["sha256"] == file_digest(schedule) != first["schedule"]["sha256"]


def test_nothing_is_recorded_without_files(root: Path, tmp_path: Path) -> None:
    assert recorded(small_params(root).train, tmp_path) == {}


def test_weights_that_are_gone_count_as_unchanged_and_others_as_missing(root: Path, tmp_path: Path) -> None:
    (tmp_path / "downloads").mkdir()
    weights = tmp_path / "downloads" / "given.pt"
    weights.write_bytes(b"weights")
    params = small_params(root, train={"init": "given.pt"}).train
    first = recorded(params, tmp_path)
    weights.unlink()
    assert recorded(params, tmp_path) == first
    with pytest.raises(DownloadFailed, match=r"other\.pt was not found"):
        recorded(small_params(root, train={"init": "other.pt"}).train, tmp_path)


@pytest.mark.parametrize("content", ["", "{", "[]", '{"init": {"name": "given.pt"}}', "\x00"])
def test_a_damaged_record_is_written_again(root: Path, tmp_path: Path, content: str) -> None:
    (tmp_path / "downloads").mkdir()
    (tmp_path / "data").mkdir()
    (tmp_path / "downloads" / "given.pt").write_bytes(b"weights")
    (tmp_path / "data" / "train_inputs.json").write_text(content)
    found = recorded(small_params(root, train={"init": "given.pt"}).train, tmp_path)
    assert found["init"]["sha256"] == file_digest(tmp_path / "downloads" / "given.pt")


@pytest.mark.slow
def test_dvc_trains_again_when_the_file_behind_the_name_changes(root: Path, tmp_path: Path) -> None:
    """The real step in a real DVC project; the stage is a command that depends on what train depends on."""
    steps = yaml.safe_load((root / "dvc.yaml").read_text())["stages"]
    (output,) = (next(iter(out)) for out in steps["inputs"]["outs"])
    assert output in steps["train"]["deps"]
    train = {"cmd": "echo trained > model.txt", "deps": [output], "outs": ["model.txt"]}
    stages = {"stages": {"inputs": steps["inputs"], "train": train}}
    (tmp_path / "dvc.yaml").write_text(yaml.safe_dump(stages))
    params = yaml.safe_load((root / "params.yaml").read_text())
    params["train"]["init"] = "given.pt"
    (tmp_path / "params.yaml").write_text(yaml.safe_dump(params))
    weights = tmp_path / "given.pt"
    weights.write_bytes(b"weights")

    def dvc(*command: str) -> str:
        environment = {**os.environ, "PYTHONPATH": str(root), "DVC_NO_ANALYTICS": "1"}
        environment["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
        done = subprocess.run(
            [sys.executable, "-m", "dvc", *command],
            cwd=tmp_path, env=environment, capture_output=True, text=True,
        )  # fmt: skip
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def ran() -> list[str]:
        return re.findall(r"^Running stage '(\w+)'", dvc("repro"), re.MULTILINE)

    dvc("init", "--no-scm", "--quiet")
    assert ran() == ["inputs", "train"]
    assert ran() == ["inputs"]
    weights.write_bytes(b"other weights")
    assert ran() == ["inputs", "train"]
