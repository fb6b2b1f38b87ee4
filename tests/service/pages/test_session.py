from pathlib import Path

from fastapi.testclient import TestClient

from service.api.settings import Settings
from service.api.tokens import TokenStore
from service.pages.router import add_pages
from tests.service.api.apps import bare_app


def test_a_browser_signs_in_with_a_token_and_out_again(tmp_path: Path) -> None:
    store = TokenStore(tmp_path / "tokens.json")
    _, text = store.create("reader", "read")
    app = bare_app(Settings(require_tokens=True), store)
    add_pages(app)
    client = TestClient(app, base_url="http://localhost", follow_redirects=False)
    html = {"Accept": "text/html"}
    asked = client.get("/", headers=html)
    assert (asked.status_code, asked.headers["location"]) == (303, "/login")
    assert client.get("/").status_code == 401  # a program
    wrong = client.post("/login", data={"token": "facenet_wrong"})
    assert (wrong.status_code, "unknown or revoked" in wrong.text) == (401, True)
    signed = client.post("/login", data={"token": text})
    cookie = signed.headers["set-cookie"].lower()
    assert "httponly" in cookie
    assert "samesite=strict" in cookie
    assert client.get("/", headers=html).status_code == 200
    assert client.post("/person/remove", data={"name": "Ada"}).status_code == 403
    client.post("/logout")
    assert client.get("/", headers=html).status_code == 303
