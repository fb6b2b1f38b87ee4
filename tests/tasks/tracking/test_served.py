"""A registered model is loaded in one call."""

from pathlib import Path

import numpy as np
import pytest

from facenet.errors import SourceInvalid
from facenet.face_model import FaceModel
from facenet.matching import Matcher
from facenet.model import ModelCard
from facenet.model_folder import save_detector
from tasks import register
from tasks.params.register import PromotionParams, RegisterParams
from tasks.tracking.served import load_served


@pytest.fixture
def registered(mlflow_store: Path, tiny_model: Path) -> Path:
    """A version with alias challenger, calibrated on ten people."""
    card = ModelCard.read(tiny_model / "model.json")
    Matcher(
        weights_sha256=card.weights_sha256,
        protocol="p",
        metric="euclidean_squared",
        flip="concatenate",
        mean=None,
        slope=3.0,
        intercept=2.0,
        threshold=0.4,
        people=10,
        people_pairs=45,
    ).write(mlflow_store / "calibration.json")
    (mlflow_store / "evaluation.json").write_text('{"accuracy": 0.9}')
    register.run(
        params=RegisterParams(
            model="faces", gates={}, promotion=PromotionParams(metric="accuracy", min_gain=0.0)
        ),
        weights=tiny_model / "facenet.safetensors",
        card=tiny_model / "model.json",
        calibration=mlflow_store / "calibration.json",
        evaluation=mlflow_store / "evaluation.json",
        receipt=mlflow_store / "registration.json",
    )
    return tiny_model


@pytest.mark.parametrize("uri", ["models:/faces@challenger", "models:/faces/1"])
def test_it_embeds_and_verifies_as_the_files_do(
    registered: Path, uri: str, tmp_path: Path, orl_photos: list[tuple[str, bytes]]
) -> None:
    left, right = orl_photos[0][1], orl_photos[15][1]
    found = load_served(uri)
    folder = tmp_path / "model"
    folder.mkdir()
    for name in ("facenet.safetensors", "model.json"):
        (folder / name).write_bytes((registered / name).read_bytes())
    save_detector(folder)
    expected = FaceModel.load(folder, device="cpu").embed([left, right])
    for face, same in zip(found.embed([left, right]), expected, strict=True):
        np.testing.assert_array_equal(face.embedding, same.embedding)
    answer = found.verify(left, right)
    assert (answer.threshold, answer.error) == (0.4, None)
    assert (answer.supported, answer.reason) == (*(False, "measured on 10 people; at least 40 are needed"),)


def test_register_warns_of_a_calibration_on_few_people(
    registered: Path, caplog: pytest.LogCaptureFixture
) -> None:
    warnings = [record.getMessage() for record in caplog.get_records("setup")]
    assert any("measured on 10 people; at least 40 are needed" in warning for warning in warnings)


@pytest.mark.parametrize(
    ("uri", "message"),
    [
        ("models:/faces", "expected models:/NAME@ALIAS"),
        ("runs:/1/model", "expected models:/NAME@ALIAS"),
        ("models:/faces@champion", "the aliases of faces are: challenger"),
        ("models:/faces/7", "dvc repro register"),
        ("models:/cats@champion", "the aliases of cats are: none"),
    ],
)
def test_what_the_registry_does_not_have_raises(registered: Path, uri: str, message: str) -> None:
    with pytest.raises(SourceInvalid, match=message):
        load_served(uri)
