"""A small evaluated model, and photos as people have them."""

import io
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from facenet.face_model import FaceModel
from facenet.matching import Matcher, Threshold
from facenet.model import ModelCard
from facenet.model_folder import CALIBRATION, CARD, save_detector


@pytest.fixture(scope="session")
def model_folder(tiny_model: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model with random weights and a calibration that fits nothing, as a registered version has them."""
    folder = tmp_path_factory.mktemp("evaluated")
    shutil.copytree(tiny_model, folder, dirs_exist_ok=True)
    save_detector(folder)
    Matcher(
        weights_sha256=ModelCard.read(folder / CARD).weights_sha256,
        protocol="generated pairs",
        metric="cosine",
        flip="none",
        mean=tuple(np.linspace(-0.05, 0.05, 128)),
        slope=8.0,
        intercept=4.0,
        threshold=0.5,
        thresholds=(Threshold(0.01, 0.25, True),),
        people=100,
        people_pairs=4000,
    ).write(folder / CALIBRATION)
    return folder


@pytest.fixture(scope="session")
def face_model(model_folder: Path) -> FaceModel:
    """The model of `model_folder`."""
    return FaceModel.load(model_folder, device="cpu")


@pytest.fixture(scope="session")
def photo(orl_photos: list[tuple[str, bytes]]) -> Callable[..., bytes]:
    """Return a JPEG of ORL's photo with this number, 0 to 399: ten of each person."""

    def jpeg(number: int, *others: int) -> bytes:
        images = [Image.open(io.BytesIO(orl_photos[n][1])).convert("RGB") for n in (number, *others)]
        whole = Image.new("RGB", (sum(image.width for image in images), images[0].height))
        for place, image in enumerate(images):
            whole.paste(image, (place * image.width, 0))
        buffer = io.BytesIO()
        whole.save(buffer, "JPEG", quality=95)
        return buffer.getvalue()

    return jpeg
