import base64
import io
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import requests
from PIL import Image

from facenet.face_model import FaceModel
from facenet.model_folder import save_detector
from tasks import register
from tasks.params.register import PromotionParams, RegisterParams
from tasks.tracking import tracking_uri
from tests.servers import mlflow_running

pytestmark = [pytest.mark.server, pytest.mark.slow]


@pytest.fixture(scope="module")
def photos(orl_photos: list[tuple[str, bytes]]) -> list[bytes]:
    """Three JPEG files of three people."""
    files = []
    for _, pgm in orl_photos[:30:10]:
        buffer = io.BytesIO()
        Image.open(io.BytesIO(pgm)).convert("RGB").save(buffer, "JPEG", quality=95)
        files.append(buffer.getvalue())
    return files


@pytest.fixture
def address(mlflow_store: Path, tiny_model: Path, tmp_path: Path) -> Iterator[str]:
    """A scoring server of the version that register made, as a user starts it."""
    (mlflow_store / "evaluation.json").write_text('{"accuracy": 0.9}')
    register.run(
        params=RegisterParams(
            model="faces", gates={}, promotion=PromotionParams(metric="accuracy", min_gain=0.0)
        ),
        weights=tiny_model / "facenet.safetensors",
        card=tiny_model / "model.json",
        evaluation=mlflow_store / "evaluation.json",
        receipt=mlflow_store / "registration.json",
    )
    with mlflow_running(
        ["models", "serve", "-m", "models:/faces@challenger", "--env-manager", "local", "--workers", "1"],
        "/ping",
        folder=tmp_path,
        MLFLOW_TRACKING_URI=tracking_uri(),
        MLFLOW_ALLOW_PICKLE_DESERIALIZATION="false",
    ) as serving:
        yield serving


def ask(address: str, request: dict[str, Any]) -> list[dict[str, Any]]:
    response = requests.post(f"{address}/invocations", json=request, timeout=300)
    assert response.status_code == 200, response.text
    answers: list[dict[str, Any]] = response.json()["predictions"]
    return answers


def test_a_served_version_answers_every_form_of_request_as_the_pipeline_does(
    address: str, photos: list[bytes], tiny_model: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "model"
    shutil.copytree(tiny_model, folder)
    save_detector(folder)
    expected = [face.to_dict() for face in FaceModel.load(folder, device="cpu").embed(photos)]
    texts = [base64.b64encode(photo).decode() for photo in photos]
    rows = [{"image": text} for text in texts]
    requests_ = [
        {"dataframe_records": rows},
        {"dataframe_split": {"columns": ["image"], "data": [[text] for text in texts]}},
        {"inputs": rows},
        {"inputs": {"image": texts}},
        {"inputs": texts},
        {"instances": rows},
    ]
    for request in requests_:
        answers = ask(address, request)
        np.testing.assert_allclose(
            [answer["embedding"] for answer in answers],
            [entry["embedding"] for entry in expected],
            atol=1e-5,
            err_msg=str(list(request)),
        )
        assert [answer["faces_found"] for answer in answers] == [1, 1, 1]

    spoilt, whole = ask(address, {"dataframe_records": [{"image": "????"}, rows[1]]})
    assert spoilt["error"].startswith("corrupt: ")
    assert spoilt["embedding"] is None
    np.testing.assert_allclose(whole["embedding"], expected[1]["embedding"], atol=1e-5)

    assert (
        requests.post(f"{address}/invocations", json={"inputs": [{"picture": "x"}]}, timeout=300).status_code
        == 400
    )
