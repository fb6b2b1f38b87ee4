from fastapi.testclient import TestClient

from service.api.app import create_app
from service.api.settings import Settings
from service.api.tokens import TokenStore


def test_ready_once_nothing_is_missing() -> None:
    missing: list[str] = ["The model is being loaded."]
    app = create_app(Settings(), TokenStore(), readiness=lambda: missing[0] if missing else None)
    client = TestClient(app, base_url="http://localhost")
    assert client.get("/healthz").json() == {"status": "ok"}
    waiting = client.get("/readyz")
    assert (waiting.status_code, waiting.headers["retry-after"]) == (503, "1")
    assert waiting.json()["error"]["message"] == "The model is being loaded."
    missing.clear()
    assert client.get("/readyz").json() == {"status": "ready"}


def test_metrics_in_prometheus_format() -> None:
    app = create_app(Settings(), TokenStore(), readiness=lambda: None)
    client = TestClient(app, base_url="http://localhost")
    client.get("/healthz")
    answer = client.get("/metrics")
    assert answer.headers["content-type"].startswith("text/plain")
    assert 'facenet_requests_total{method="GET",route="/healthz",status="200"} 1.0' in answer.text
