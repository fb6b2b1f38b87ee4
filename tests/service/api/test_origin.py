import pytest
from fastapi.testclient import TestClient

from tests.service.api.apps import bare_app


@pytest.fixture
def client() -> TestClient:
    app = bare_app()

    @app.post("/change")
    def change() -> dict[str, bool]:
        return {"changed": True}

    return TestClient(app, base_url="http://127.0.0.1:8000")


@pytest.mark.parametrize("host", ["localhost:8000", "127.0.0.1", "[::1]:8000", "LOCALHOST"])
def test_our_names_are_accepted(client: TestClient, host: str) -> None:
    assert client.get("/healthz", headers={"Host": host}).status_code == 200


@pytest.mark.parametrize(
    "host", ["evil.example", "127.0.0.1.evil.example:8000", "", "[::1", "localhost@evil.example"]
)
def test_a_name_made_to_resolve_to_loopback_is_refused(client: TestClient, host: str) -> None:
    answer = client.get("/healthz", headers={"Host": host})
    assert answer.status_code == 421
    assert answer.json()["error"]["reason"] == "wrong_host"


@pytest.mark.parametrize(
    "headers",
    [
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Origin": "http://127.0.0.1:9000"},
    ],
)
def test_a_page_of_another_site_changes_nothing(client: TestClient, headers: dict[str, str]) -> None:
    answer = client.post("/change", headers=headers)
    assert (answer.status_code, answer.json()["error"]["reason"]) == (403, "cross_site")


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Sec-Fetch-Site": "same-origin", "Origin": "http://127.0.0.1:8000"},
        {"Sec-Fetch-Site": "none"},
        {"Origin": "http://127.0.0.1:8000"},
    ],
)
def test_programs_and_our_own_pages_may(client: TestClient, headers: dict[str, str]) -> None:
    assert client.post("/change", headers=headers).json() == {"changed": True}
