"""A real, calibrated model, loaded once, and real photos of several people."""

import shutil
from pathlib import Path
from typing import Any

import pytest

from facenet import FaceModel, pretrained
from facenet.matching import Threshold
from tests.calibration import calibrate

Photos = list[tuple[str, bytes]]


@pytest.fixture(scope="session")
def calibrated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of dlib's ResNet, with a threshold and a probability that fit the AT&T/ORL faces."""
    folder = tmp_path_factory.mktemp("calibrated") / "model"
    shutil.copytree(pretrained.folder(), folder)
    measured = (Threshold(0.01, 0.2, supported=True),)
    ratio: dict[str, Any] = {"slope": 40.0, "intercept": 12.0, "threshold": 0.3, "thresholds": measured}
    calibrate(folder, folder, flip="none", people=1000, people_pairs=499500, **ratio)
    return folder


@pytest.fixture(scope="session")
def _loaded(calibrated: Path) -> FaceModel:
    return FaceModel.load(calibrated)


@pytest.fixture
def model(_loaded: FaceModel, monkeypatch: pytest.MonkeyPatch) -> FaceModel:
    """The model that the commands of a test get; loading it for each would take seconds."""

    def load(cls: type, source: Any = None, **options: Any) -> FaceModel:
        return _loaded

    monkeypatch.setattr(FaceModel, "load", classmethod(load))
    return _loaded


@pytest.fixture
def people(tmp_path: Path, orl_photos: Photos, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working folder, with photos 1 to 3 of four people in people/NAME, and two files without a face."""
    named = {"s1": "ann", "s2": "bob", "s3": "cem", "s4": "dana"}
    for name in named.values():
        (tmp_path / "people" / name).mkdir(parents=True)
    counts = dict.fromkeys(named, 0)
    for identity, data in orl_photos:
        if identity in named and counts[identity] < 3:
            counts[identity] += 1
            (tmp_path / "people" / named[identity] / f"{counts[identity]}.pgm").write_bytes(data)
    (tmp_path / "wall.ppm").write_bytes(b"P6 80 60 255\n" + bytes([90]) * (80 * 60 * 3))
    (tmp_path / "text.jpg").write_text("no photo")
    monkeypatch.chdir(tmp_path)
    for name in ("MLFLOW_TRACKING_URI", "FACENET_GALLERY"):
        monkeypatch.delenv(name, raising=False)
    return tmp_path
