"""Whether the server is up, whether it can answer, and its metrics."""

from collections.abc import Callable

from fastapi import APIRouter, Request, Response

from service.api.access import requires
from service.api.metrics import Metrics
from service.api.problems import Problem

Readiness = Callable[[], str | None]  # why the server cannot answer yet; None if it can

router = APIRouter(tags=["health"])


@router.get("/healthz")
async def healthz() -> dict[str, str]:
    """Return that the process answers."""
    return {"status": "ok"}


@router.get("/readyz")
async def readyz(request: Request) -> dict[str, str]:
    """Return that a model is loaded; 503 until then."""
    readiness: Readiness = request.app.state.readiness
    if (missing := readiness()) is not None:
        raise Problem(503, "not_ready", missing, headers={"Retry-After": "1"})
    return {"status": "ready"}


@router.get("/metrics", dependencies=[requires("read")], response_class=Response)
async def metrics(request: Request) -> Response:
    """Return metrics in Prometheus' text format."""
    found: Metrics = request.app.state.metrics
    return Response(found.text(), media_type=found.content_type)
