import base64
import io
import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import requests
from PIL import Image

from commands.site_storage import store
from facenet.face_model import FaceModel
from facenet.model_folder import save_detector
from facenet.results import Verification
from facenet.site_calibration.calibration import SITE_FILE, SiteCalibration
from tasks.tracking import tracking_uri
from tests.calibration import calibrate
from tests.facenet.site_calibration.test_calibration import site_calibration
from tests.registration import register_faces
from tests.servers import mlflow_running

pytestmark = [pytest.mark.server, pytest.mark.slow]

THRESHOLD = 0.02  # between distances of the photos below


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
    """A scoring server of the version that register made, as a user starts it, with a site calibration."""
    calibrate(tiny_model, mlflow_store, threshold=1.0)
    register_faces(tiny_model, mlflow_store)
    model = FaceModel.load("models:/faces@challenger", device="cpu")
    store("models:/faces@challenger", model, site_of(model))
    with mlflow_running(
        ["models", "serve", "-m", "models:/faces@challenger", "--env-manager", "local", "--workers", "1"],
        "/ping",
        folder=tmp_path,
        MLFLOW_TRACKING_URI=tracking_uri(),
        MLFLOW_ALLOW_PICKLE_DESERIALIZATION="false",
    ) as serving:
        yield serving


def site_of(model: FaceModel) -> SiteCalibration:
    site = site_calibration(model_digest=model.digest)
    return replace(site, thresholds=(replace(site.default, threshold=THRESHOLD),))


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
    calibrate(tiny_model, folder, threshold=1.0)
    site_of(FaceModel.load(folder, device="cpu")).write(folder / SITE_FILE)
    model = FaceModel.load(folder, device="cpu")
    expected = [face.to_dict() for face in model.embed(photos)]
    texts = [base64.b64encode(photo).decode() for photo in photos]
    rows = [{"image": text} for text in texts]
    requests_ = [
        {"dataframe_records": rows},
        {"dataframe_split": {"columns": ["image"], "data": [[text] for text in texts]}},
        {"inputs": rows},
        {"inputs": {"image": texts}},
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

    pairs = [(0, 1), (0, 0), (1, 2)]
    verified = model.compare([(photos[a], photos[b]) for a, b in pairs])
    asked = [{"left": texts[a], "right": texts[b]} for a, b in pairs]
    columns = {side: [row[side] for row in asked] for side in ("left", "right")}
    for request in (
        {"dataframe_records": asked},
        {"inputs": asked},
        {"inputs": columns},
        {"instances": asked},
    ):
        check(ask(address, request), verified)

    mixed = [
        asked[0],
        rows[1],
        {"left": texts[0]},
        asked[2],
        {**rows[0], **asked[1]},
        {"left": "?", "right": "?"},
    ]
    for kind in ("dataframe_records", "inputs"):
        first, face, half, second, both, spoilt = ask(address, {kind: mixed})
        check([first, second], [verified[0], verified[2]])
        np.testing.assert_allclose(face["embedding"], expected[1]["embedding"], atol=1e-5)
        assert half["error"] == ("unsupported: a row has `image`, or `left` and `right`; this one has left")
        assert both["error"].endswith("this one has image and left and right")
        assert (spoilt["match"], spoilt["distance"]) == (False, None)
        assert spoilt["error"].startswith("corrupt: ")
        assert spoilt["error"].endswith("(right photo)")

    for refused in ({"inputs": [{"picture": "x"}]}, {"inputs": texts}):  # the columns have no such name
        response = requests.post(f"{address}/invocations", json=refused, timeout=300)
        assert response.status_code == 400
        assert "need a column `image`, or columns `left` and `right`" in response.text


def check(answers: list[dict[str, Any]], expected: list[Verification]) -> None:
    """Compare answers with those of the model on the same files."""
    for answer, other in zip(answers, expected, strict=True):
        assert set(answer) == {
            *("match", "distance", "threshold", "probability", "supported", "reason", "site", "error"),
        }
        assert answer["match"] is other.match
        assert answer["distance"] == pytest.approx(other.distance, abs=1e-5)
        assert answer["probability"] == pytest.approx(other.probability, abs=1e-4)
        assert (answer["threshold"], answer["site"], answer["error"]) == (0.02, "office", None)
        assert (answer["supported"], answer["reason"]) == (False, other.reason)
