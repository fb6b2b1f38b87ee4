from fastapi.testclient import TestClient

from facenet.errors import WeightsInvalid
from facenet.face_model import FaceModel
from service.api.app import create_app
from service.api.models import Source
from service.api.settings import Settings
from service.api.tokens import TokenStore
from tests.service.api.apps import bare_app
from tests.waiting import wait_for


def missing_model() -> FaceModel:
    raise WeightsInvalid("There is no models/facenet.safetensors. Run `dvc pull`.")


def test_without_a_model_the_server_is_healthy_but_not_ready() -> None:
    app = create_app(Settings(), TokenStore(), Source(missing_model))
    with TestClient(app, base_url="http://localhost") as client:
        assert client.get("/healthz").json() == {"status": "ok"}
        wait_for(lambda: "dvc pull" in client.get("/readyz").text)
        waiting = client.get("/readyz")
        assert (waiting.status_code, waiting.headers["retry-after"]) == (503, "1")
        refused = client.post("/v1/embed", files={"photos": b"x"})
        assert (refused.status_code, refused.json()["error"]["reason"]) == (503, "not_ready")


def test_metrics_in_prometheus_format() -> None:
    client = TestClient(bare_app(), base_url="http://localhost")
    client.get("/healthz")
    answer = client.get("/metrics")
    assert answer.headers["content-type"].startswith("text/plain")
    assert 'facenet_requests_total{method="GET",route="/healthz",status="200"} 1.0' in answer.text
