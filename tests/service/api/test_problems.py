from typing import Annotated

import pytest
from fastapi import FastAPI, Query
from fastapi.testclient import TestClient

from service.api.problems import Problem, add_problem_handlers, busy


@pytest.fixture
def client() -> TestClient:
    app = FastAPI()
    add_problem_handlers(app)

    @app.get("/busy")
    def refuse() -> None:
        raise busy("busy", "Later.")

    @app.get("/teapot")
    def teapot() -> None:
        raise Problem(418, "teapot", "No coffee.")

    @app.get("/number")
    def number(count: Annotated[int, Query(ge=1)]) -> int:
        return count

    return TestClient(app)


def test_every_error_has_one_form(client: TestClient) -> None:
    refused = client.get("/busy")
    assert (refused.status_code, refused.headers["retry-after"]) == (429, "1")
    assert refused.json() == {"error": {"reason": "busy", "message": "Later.", "request_id": ""}}
    assert client.get("/teapot").json()["error"]["reason"] == "teapot"
    assert client.get("/missing").json()["error"]["reason"] == "not_found"
    wrong_method = client.post("/busy")
    assert (wrong_method.status_code, wrong_method.json()["error"]["reason"]) == (405, "method_not_allowed")
    assert wrong_method.headers["allow"] == "GET"


def test_an_invalid_parameter_is_named_and_not_repeated(client: TestClient) -> None:
    answer = client.get("/number?count=Ada")
    assert answer.status_code == 422
    assert answer.json()["error"]["message"].startswith("count: ")
    assert "Ada" not in answer.text
