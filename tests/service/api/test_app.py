from fastapi.testclient import TestClient

from service.api.settings import Limits, Settings
from tests.service.api.apps import bare_app


def test_every_answer_passes_all_middleware() -> None:
    app = bare_app(Settings(limits=Limits(body=10)))
    client = TestClient(app, base_url="http://localhost")
    for answer, status in (
        (client.get("/healthz"), 200),
        (client.post("/healthz", content=b"x" * 11), 413),
        (client.get("/healthz", headers={"Host": "evil.example"}), 421),
    ):
        assert answer.status_code == status
        assert len(answer.headers["x-request-id"]) == 16


def test_no_page_loads_anything_from_another_host() -> None:
    client = TestClient(bare_app(), base_url="http://localhost")
    assert client.get("/docs").status_code == 404
    assert client.get("/redoc").status_code == 404
    assert client.get("/v1/openapi.json").json()["info"]["title"] == "facenet"
