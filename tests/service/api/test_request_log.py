import io
import json
import logging
from collections.abc import Iterator
from typing import Any

import pytest
from fastapi.testclient import TestClient

from service.api.json_log import JsonFormatter
from tests.service.api.apps import bare_app


@pytest.fixture
def lines() -> Iterator[io.StringIO]:
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(JsonFormatter())
    logger = logging.getLogger("facenet.service")
    level = logger.level
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)
    yield stream
    logger.removeHandler(handler)
    logger.setLevel(level)


@pytest.fixture
def client() -> TestClient:
    app = bare_app()

    @app.get("/people/{name}")
    def person(name: str) -> dict[str, str]:
        raise RuntimeError(f"nobody is called {name}")

    return TestClient(app, base_url="http://localhost")


def test_a_request_has_an_id_in_answer_and_log(client: TestClient, lines: io.StringIO) -> None:
    answer = client.get("/healthz?name=Ada", headers={"Authorization": "Bearer secret"})
    line: dict[str, Any] = json.loads(lines.getvalue())
    assert line["request_id"] == answer.headers["x-request-id"]
    assert (line["method"], line["route"], line["status"]) == ("GET", "/healthz", 200)
    assert line["bytes_sent"] == len(answer.content)
    assert "Ada" not in lines.getvalue()
    assert "secret" not in lines.getvalue()


def test_a_failure_gives_the_place_but_not_the_message(client: TestClient, lines: io.StringIO) -> None:
    answer = client.get("/people/Ada")
    assert answer.status_code == 500
    assert answer.json()["error"]["reason"] == "internal"
    line = json.loads(lines.getvalue())
    assert line["exception"] == "RuntimeError"
    assert line["places"][-1].endswith(" person")
    assert line["route"] == "/people/{name}"
    assert "Ada" not in lines.getvalue() + answer.text


def test_unknown_paths_are_not_logged(client: TestClient, lines: io.StringIO) -> None:
    answer = client.get("/Ada/../../etc/passwd")
    assert (answer.status_code, answer.json()["error"]["reason"]) == (404, "not_found")
    assert json.loads(lines.getvalue())["route"] == "unmatched"
    assert "passwd" not in lines.getvalue()


def test_answers_are_neither_stored_nor_run_by_a_browser(client: TestClient) -> None:
    headers = client.get("/healthz").headers
    assert headers["cache-control"] == "no-store"
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["content-security-policy"].startswith("default-src 'none'")
