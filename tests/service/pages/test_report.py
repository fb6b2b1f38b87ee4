"""The report in a real browser under its policy; who may see it; a registry that never answers."""

import copy
import shutil
import socket
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from facenet.face_model import FaceModel
from facenet.registry import RegisteredVersion
from service.api.app import create_app
from service.api.models import Source
from service.api.settings import Settings
from service.api.tokens import TokenStore
from service.pages import report
from service.pages.router import add_pages
from tasks.report.page import Subject
from tests.axe import violations
from tests.browser import Tab
from tests.service.pages.serving import accepted, served
from tests.waiting import wait_for

PAGE = "/model/report"
HTML = {"Accept": "text/html"}


@pytest.mark.slow
def test_the_model_page_leads_to_the_report(tab: Tab, evaluated: Subject, page: str, tmp_path: Path) -> None:
    shutil.copytree(evaluated.reports.parent / "models", tmp_path / "models")
    (tmp_path / "reports").mkdir()
    (tmp_path / "reports" / "report.html").write_text(page)
    model = FaceModel.load(tmp_path / "models", device="cpu")
    with served(model, tmp_path / "gallery.db") as address:
        tab.open(f"{address}/model", width=390)
        tab.tab_to(f"a[href='{PAGE}']")
        tab.follow()
        assert tab.value("document.querySelector('h1').innerText") == "facenet, version 4: face verification"
        assert tab.value("[...document.images].every(image => image.naturalWidth > 0)")
        assert tab.value("document.images.length") > 2
        stroke = "getComputedStyle(document.querySelector('svg [style*=\"var(--one)\"]')).stroke"
        for width, scheme, blue in ((390, "dark", "rgb(116, 183, 255)"), (1280, "light", "rgb(11, 95, 179)")):
            tab.open(f"{address}{PAGE}", width=width, scheme=scheme)
            assert tab.value("document.documentElement.scrollWidth <= innerWidth"), width
            assert tab.value(stroke) == blue  # style attributes count under the policy
        assert tab.complaints == []
        assert [url for url in tab.requests if not url.startswith((address, "data:", "about:"))] == []
        tab.ask("Page.setBypassCSP", enabled=True)  # axe-core cannot run in a sandboxed document
        tab.open(f"{address}{PAGE}", width=390)
        assert violations(tab) == []
        tab.ask("Page.setBypassCSP", enabled=False)


@pytest.mark.slow
def test_a_model_without_a_report_says_so(tab: Tab, face_model: FaceModel, tmp_path: Path) -> None:
    tab.requests.clear()
    with served(face_model, tmp_path / "gallery.db") as address:
        tab.open(f"{address}{PAGE}", width=390, scheme="dark")
        assert "Run `dvc repro register`" in tab.value("document.querySelector('[role=alert]').innerText")
        assert tab.value("document.documentElement.scrollWidth <= innerWidth")
        assert "404" in tab.complaints.pop()  # the browser logs the status of a page
        accepted(tab, address)


def client_of(model: FaceModel, folder: Path, tokens: TokenStore | None = None) -> TestClient:
    settings = Settings(require_tokens=tokens is not None)
    app = create_app(settings, tokens or TokenStore(), Source(lambda: model), folder / "gallery.db")
    add_pages(app)
    return TestClient(app, base_url="http://localhost", follow_redirects=False)


def test_only_admins_see_photos_of_evaluated_people(face_model: FaceModel, tmp_path: Path) -> None:
    store = TokenStore(tmp_path / "tokens.json")
    with client_of(face_model, tmp_path, store) as client:
        wait_for(lambda: client.get("/readyz").status_code == 200, 60)
        assert client.get(PAGE, headers=HTML).headers["location"] == "/login"
        answers = {}
        for scope in ("read", "enrol", "admin"):
            _, text = store.create(scope, scope)
            answers[scope] = client.get(PAGE, headers={**HTML, "Authorization": f"Bearer {text}"})
        assert [answer.status_code for answer in answers.values()] == [403, 403, 404]
        assert "The token has the scope read; this needs admin." in answers["read"].text
        assert "The model&#39;s folder has no report" in answers["admin"].text


def test_a_registry_that_never_answers_holds_up_nobody(
    face_model: FaceModel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = copy.copy(face_model)
    model.place = RegisteredVersion("faces", 1)
    monkeypatch.setattr(report, "SECONDS", 2.0)
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    with client_of(model, tmp_path) as client:
        wait_for(lambda: client.get("/readyz").status_code == 200, 60)
        with socket.create_server(("127.0.0.1", 0)) as silent:
            monkeypatch.setenv("MLFLOW_TRACKING_URI", f"http://127.0.0.1:{silent.getsockname()[1]}")
            with ThreadPoolExecutor(3) as pool:
                answers = list(pool.map(lambda _: client.get(PAGE), range(3)))
            assert sorted(answer.status_code for answer in answers) == [429, 504, 504]
            assert "has not sent the report within 2 s" in max(answers, key=lambda a: a.status_code).text
            assert client.get(PAGE).status_code == 429
            assert client.get("/model").status_code == 200
            for _ in range(2):
                silent.accept()[0].close()
        model.place = None
        wait_for(lambda: client.get(PAGE).status_code == 404, 60)  # the threads are free again
