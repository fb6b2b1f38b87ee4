"""The files of the workspace's model belong together; damaged packages are in test_doctor.py."""

import json
import shutil
from pathlib import Path

import pytest

from commands.checks.weights import check_dlib, check_model, check_mtcnn


def test_the_installed_weights_are_whole() -> None:
    assert [finding.state for check in (check_mtcnn, check_dlib) for finding in check()] == ["ok", "ok"]


def test_a_model_lacks_its_calibration_or_has_other_weights(
    tiny_model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert list(check_model()) == []
    shutil.copytree(tiny_model, "models")
    (finding,) = check_model()
    assert (finding.state, finding.fix) == ("wrong", "dvc repro evaluate")
    assert finding.message == "models/facenet.safetensors has no calibration.json"
    card = json.loads(Path("models/model.json").read_text())
    Path("models/model.json").write_text(json.dumps({**card, "weights_sha256": "0" * 64}))
    (finding,) = check_model()
    assert "belong to different models" in finding.message
    assert finding.fix.startswith("dvc checkout")
