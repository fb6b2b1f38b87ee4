from collections.abc import Callable
from pathlib import Path

from fastapi.testclient import TestClient

from facenet.face_model import FaceModel
from service.api.app import create_app
from service.api.models import source_of
from service.api.schemas import ModelAnswer
from service.api.settings import Settings
from service.api.tokens import TokenStore
from service.pages.router import add_pages
from tests.facenet.site_calibration.test_calibration import site_calibration
from tests.waiting import wait_for


def test_card_calibration_and_digests(client: TestClient, face_model: FaceModel) -> None:
    answer = client.get("/v1/model")
    found = ModelAnswer.model_validate(answer.json())
    assert (found.digest, found.origin) == (face_model.digest, face_model.origin)
    assert found.card["weights_sha256"] == face_model.card.weights_sha256
    assert found.calibration is not None
    assert found.calibration["threshold"] == 0.5
    assert found.site is None


def test_a_site_calibration_is_shown_and_decides(
    model_folder: Path, face_model: FaceModel, photo: Callable[..., bytes], tmp_path: Path
) -> None:
    site_calibration(model_digest=face_model.digest).write(tmp_path / "site.json")
    source = source_of(model_folder, max_pixels=25_000_000, site=str(tmp_path / "site.json"))
    app = create_app(Settings(), TokenStore(), source, tmp_path / "gallery.db")
    add_pages(app)
    with TestClient(app, base_url="http://localhost") as client:
        wait_for(lambda: client.get("/readyz").status_code == 200, 60)
        found = ModelAnswer.model_validate(client.get("/v1/model").json())
        assert (found.site or {})["name"] == "office"
        assert (found.calibration or {})["threshold"] == 0.5  # the evaluation's
        files = {"left": photo(0), "right": photo(1)}
        answer = client.post("/v1/verify", files=files).json()
        assert (answer["site"], answer["threshold"], answer["supported"]) == ("office", 0.25, False)
        page = client.get("/model").text
        assert "office, for a false accept rate of 0.01" in page
        assert "<td>0 to 0.04</td>" in page
        assert "By the site calibration office." in client.post("/", files=files).text
