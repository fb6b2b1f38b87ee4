"""The files of the workspace's model belong together; damaged packages are in test_doctor.py."""

import json
import shutil
from pathlib import Path

import pytest

from commands.checks.weights import check_dlib, check_model, check_mtcnn
from facenet.matching import Matcher
from facenet.model import ModelCard
from facenet.model_folder import model_digest
from tests.calibration import calibrate
from tests.facenet.site_calibration.test_calibration import site_calibration


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


def test_a_stored_site_calibration_belongs_to_the_model_or_not(
    tiny_model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    shutil.copytree(tiny_model, "models")
    calibrate(Path("models"), Path("models"))
    digest = model_digest(
        ModelCard.read(Path("models/model.json")), Matcher.read(Path("models/calibration.json"))
    )
    assert [finding.check for finding in check_model()] == ["model"]
    for owner, state in ((digest, "ok"), ("0" * 64, "wrong")):
        site_calibration(model_digest=owner).write(Path("models/site_calibration.json"))
        _, finding = check_model()
        assert (finding.check, finding.state) == ("site calibration", state)
