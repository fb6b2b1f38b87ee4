from fastapi import Request
from fastapi.testclient import TestClient

from service.api.context import context_of
from tests.service.api.apps import bare_app


def test_an_operation_finds_the_parts_of_its_app() -> None:
    app = bare_app()

    @app.get("/parts")
    def parts(request: Request) -> dict[str, bool]:
        return {"same": context_of(request) is app.state.context}

    assert TestClient(app, base_url="http://localhost").get("/parts").json() == {"same": True}
