import asyncio
from typing import Any

import httpx

from service.api.settings import Limits, Settings
from tests.service.api.apps import bare_app


def test_one_request_too_many_gets_429_and_health_is_still_answered() -> None:
    app = bare_app(Settings(limits=Limits(requests=2)))
    release = asyncio.Event()

    @app.post("/slow")
    async def slow() -> dict[str, bool]:
        await release.wait()
        return {"done": True}

    async def scenario() -> tuple[list[Any], Any, Any]:
        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as client:
            waiting = [asyncio.create_task(client.post("/slow")) for _ in range(2)]
            await asyncio.sleep(0.05)
            refused, health = await client.post("/slow"), await client.get("/healthz")
            release.set()
            answered = [await task for task in waiting]
            answered.append(await client.post("/slow"))
            return answered, refused, health

    answered, refused, health = asyncio.run(scenario())
    assert (refused.status_code, refused.headers["retry-after"]) == (429, "1")
    assert refused.json()["error"]["reason"] == "busy"
    assert health.status_code == 200
    assert [answer.status_code for answer in answered] == [200, 200, 200]
    assert b'facenet_refused_total{reason="requests"} 1.0' in app.state.context.metrics.text()
