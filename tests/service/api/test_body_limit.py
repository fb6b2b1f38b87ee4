import asyncio
from collections.abc import AsyncIterator

import httpx
import pytest
from fastapi import FastAPI, Request

from service.api.settings import Limits, Settings
from tests.service.api.apps import bare_app


def app_with(limits: Limits) -> FastAPI:
    app = bare_app(Settings(limits=limits))

    @app.post("/length")
    async def length(request: Request) -> dict[str, int]:
        return {"bytes": len(await request.body())}

    return app


async def chunks(*sizes: int, pause: float = 0.0) -> AsyncIterator[bytes]:
    for size in sizes:
        await asyncio.sleep(pause)
        yield bytes(size)


def post(app: FastAPI, *bodies: AsyncIterator[bytes] | bytes) -> list[httpx.Response]:
    async def scenario() -> list[httpx.Response]:
        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as client:
            return await asyncio.gather(*(client.post("/length", content=body) for body in bodies))

    return asyncio.run(scenario())


@pytest.mark.parametrize("body", [bytes(1001), pytest.param(None, id="without Content-Length")])
def test_a_body_over_the_limit_gets_413(body: bytes | None) -> None:
    app = app_with(Limits(body=1000))
    (answer,) = post(app, chunks(600, 401) if body is None else body)
    assert answer.status_code == 413
    assert answer.json()["error"]["message"] == "The body has more than 1000 bytes."
    assert answer.headers["connection"] == "close"
    (allowed,) = post(app, bytes(1000))
    assert allowed.json() == {"bytes": 1000}


def test_bodies_together_are_bounded_and_given_back() -> None:
    app = app_with(Limits(body=1000, bodies=1200))
    answers = post(app, chunks(500, 500, pause=0.05), chunks(500, 500, pause=0.06))
    assert sorted(answer.status_code for answer in answers) == [200, 429]
    assert [answer.status_code for answer in post(app, bytes(1000))] == [200]


def test_a_body_that_dribbles_in_gets_408() -> None:
    (answer,) = post(app_with(Limits(body_seconds=0.15)), chunks(*[10] * 20, pause=0.05))
    assert (answer.status_code, answer.json()["error"]["reason"]) == (408, "too_slow")
