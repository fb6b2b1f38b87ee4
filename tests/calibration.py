"""A calibration for tests."""

from pathlib import Path
from typing import Any

from facenet.matching import Matcher
from facenet.model import CALIBRATION, CARD, ModelCard


def calibration(**fields: Any) -> Matcher:
    """Return a calibration measured on ten people, with other values for the named fields."""
    values: dict[str, Any] = {
        "weights_sha256": "a",
        "protocol": "tests",
        "metric": "euclidean_squared",
        "flip": "concatenate",
        "mean": None,
        "slope": 3.0,
        "intercept": 2.0,
        "threshold": 0.4,
        "people": 10,
        "people_pairs": 45,
    }
    return Matcher(**{**values, **fields})


def calibrate(model: Path, folder: Path, **fields: Any) -> None:
    """Write a calibration of the model in the folder `model` to `folder`."""
    sha256 = ModelCard.read(model / CARD).weights_sha256
    calibration(**{"weights_sha256": sha256, **fields}).write(folder / CALIBRATION)
