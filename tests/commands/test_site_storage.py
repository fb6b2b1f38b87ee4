"""A site calibration goes into the model's folder or to its registered version, and is used from there."""

import shutil
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from commands.site_storage import check_place, store
from facenet.errors import ParamsInvalid, WeightsInvalid
from facenet.face_model import FaceModel
from facenet.model_folder import load_parts
from facenet.site_calibration.calibration import SITE_FILE
from tasks.tracking.registry import get_version
from tests.calibration import calibrate
from tests.facenet.site_calibration.test_calibration import site_calibration
from tests.registration import register_faces


def test_a_registered_version_uses_it_and_a_tag_says_so(tiny_model: Path, mlflow_store: Path) -> None:
    calibrate(tiny_model, mlflow_store)
    register_faces(tiny_model, mlflow_store)
    source = "models:/faces@challenger"
    check_place(source)
    plain = FaceModel.load(source, device="cpu")
    site = site_calibration(model_digest=plain.digest)
    assert store(source, plain, site) == "models:/faces/1 (challenger)"
    model = FaceModel.load(source, device="cpu")
    assert (model.site, model.digest) == (site, plain.digest)
    assert model.matcher is not None
    assert (model.matcher.threshold, model.matcher.site_name) == (0.25, "office")
    assert model.evaluation == plain.matcher
    version = get_version("faces", 1)
    assert version is not None
    assert version.tags["site_calibration"] == "office (24 people, FAR 0.01)"
    assert FaceModel.load(source, device="cpu", site=False).site is None
    moved: Any = SimpleNamespace(origin="models:/faces/7 (challenger)")
    with pytest.raises(ParamsInvalid, match=r"is now models:/faces/1 \(challenger\), not models:/faces/7"):
        store(source, moved, site)


def test_a_folder_uses_it_until_the_model_changes(tiny_model: Path, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(tiny_model, tmp_path / "copied"))
    calibrate(folder, folder)
    model: Any = FaceModel.load(folder, device="cpu")
    check_place(str(folder))
    assert store(str(folder), model, site_calibration(model_digest=model.digest)) == str(folder / SITE_FILE)
    assert FaceModel.load(folder, device="cpu").site is not None
    calibrate(folder, folder, flip="none")
    with pytest.raises(WeightsInvalid, match=rf"{SITE_FILE} belongs to the model .*--site none"):
        load_parts(folder, device="cpu", batch_size=1)
    assert load_parts(folder, device="cpu", batch_size=1, site=False).site is None
