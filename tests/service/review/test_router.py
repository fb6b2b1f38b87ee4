from collections.abc import Iterator

import pytest
from fastapi.testclient import TestClient

from service.api.settings import Settings
from service.review.app import create_app
from tasks.labels.decisions import append_decisions, read_decisions
from tests.service.review.workspaces import Workspace, review_of


@pytest.fixture
def client(small: Workspace) -> Iterator[TestClient]:
    with TestClient(create_app(review_of(small), Settings()), base_url="http://localhost") as found:
        yield found


@pytest.fixture
def key(small: Workspace) -> str:
    return next(iter(review_of(small).state().suspects))


def test_forms_work_without_scripts(client: TestClient, small: Workspace, key: str) -> None:
    decided = client.post(
        "/decide", data={"key": key, "action": "move", "target": "Bob"}, follow_redirects=False
    )
    assert (decided.status_code, decided.headers["location"]) == (303, "/?page=1&show=open")
    page = client.get("/?show=decided").text
    assert "Decided: move to Bob by eve, 2" in page
    assert "1 of 6 reviewed" in page
    assert "100 % (21 to 100 %), 1 of 1 confirmed" in page
    undone = client.post("/undo", data={"key": key, "show": "decided"}, follow_redirects=False)
    assert undone.headers["location"] == f"/?page=1&show=all#s-{key}"
    assert read_decisions(small.decisions) == []
    again = client.post("/undo", data={"key": key})
    assert (again.status_code, "Nothing to undo" in again.text) == (409, True)
    wrong = client.post("/decide", data={"key": key, "action": "move", "target": "Nobody"})
    assert (wrong.status_code, "there is no person called Nobody" in wrong.text) == (409, True)


def test_scripts_get_the_row_and_the_progress(client: TestClient, small: Workspace, key: str) -> None:
    headers = {"HX-Request": "true"}
    form = {"key": key, "action": "drop", "show": "all", "page": 1}
    answer = client.post("/decide", data=form, headers=headers)
    assert answer.status_code == 200
    assert answer.text.count("<article") == 1
    assert 'hx-swap-oob="true"' in answer.text
    assert "1 of 6 reviewed" in answer.text
    other = TestClient(create_app(review_of(small, who="dan"), Settings()), base_url="http://localhost")
    refused = other.post("/decide", data=form | {"action": "keep"}, headers=headers)
    assert refused.status_code == 409
    assert "Not written: eve decided at" in refused.text
    assert "Decided: drop by eve" in refused.text
    gone = client.post("/decide", data=form | {"key": "0" * 16}, headers=headers)
    assert (gone.status_code, "no such suspect any more" in gone.text) == (404, True)


def test_faces_are_served_by_digest_and_never_stored(client: TestClient, small: Workspace) -> None:
    answer = client.get(f"/face/{small.of('Ann')[0]}")
    assert answer.headers["Content-Type"] == "image/webp"
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.content.startswith(b"RIFF")
    assert client.get(f"/face/{'0' * 64}").status_code == 404
    assert client.get("/face/..%2f..%2fparams.yaml").status_code == 404


def test_nothing_left_stale_and_unknown_filters(client: TestClient, small: Workspace) -> None:
    small.label = dict.fromkeys(small.label, "Zoe")
    small.write_data()
    assert "Nothing is left to review." in client.get("/").text
    stale = client.get("/?show=stale").text
    assert stale.count("Run <code>facenet audit</code> again.") == 6
    assert "6 stale" in stale
    assert "Nothing is left to review." in client.get("/?show=<script>").text


def test_broken_files_are_named(client: TestClient, small: Workspace, key: str) -> None:
    append_decisions(small.decisions, [])
    small.decisions.write_text("a,b\n")
    assert "decisions.csv, line 1" in client.get("/").text
    form = {"key": key, "action": "keep"}
    assert client.post("/decide", data=form, headers={"HX-Request": "true"}).status_code == 503
    small.decisions.unlink()
    small.audit.unlink()
    page = client.get("/")
    assert (page.status_code, "Run `facenet audit` first" in page.text) == (503, True)
    assert client.get(f"/face/{small.of('Ann')[0]}").status_code == 503
