from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from service.api.access import requires
from service.api.settings import Settings
from service.api.tokens import TokenStore
from tests.service.api.apps import bare_app


@pytest.fixture
def store(tmp_path: Path) -> TokenStore:
    return TokenStore(tmp_path / "tokens.json")


def client_of(store: TokenStore, *, require_tokens: bool) -> TestClient:
    app = bare_app(Settings(require_tokens=require_tokens), store)

    @app.get("/enrol")
    def enrol(user: str = requires("enrol")) -> dict[str, str]:
        return {"user": user}

    return TestClient(app, base_url="http://localhost")


def bearer(text: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {text}"}


def test_a_token_needs_the_scope(store: TokenStore) -> None:
    client = client_of(store, require_tokens=True)
    _, reader = store.create("reader", "read")
    _, admin = store.create("boss", "admin")
    assert client.get("/enrol", headers=bearer(admin)).json() == {"user": "boss"}
    forbidden = client.get("/enrol", headers=bearer(reader))
    assert (forbidden.status_code, forbidden.json()["error"]["reason"]) == (403, "forbidden")
    assert client.get("/metrics", headers=bearer(reader)).status_code == 200


@pytest.mark.parametrize("header", [None, "", "Bearer", "Bearer x", "Basic YWRhOmE=", "Bearer " + "é" * 40])
def test_without_a_valid_token_there_is_a_401(store: TokenStore, header: str | None) -> None:
    client = client_of(store, require_tokens=True)
    headers = {} if header is None else {b"Authorization": header.encode()}
    answer = client.get("/enrol", headers=headers)  # type: ignore[arg-type]
    assert (answer.status_code, answer.headers["www-authenticate"]) == (401, "Bearer")
    assert client.get("/metrics").status_code == 401
    assert client.get("/healthz").status_code == 200


def test_on_loopback_no_token_is_needed(store: TokenStore) -> None:
    assert client_of(store, require_tokens=False).get("/enrol").json() == {"user": "local"}
