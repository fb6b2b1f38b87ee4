"""Whether the server is up, whether it can answer, and its metrics."""

from fastapi import APIRouter, Request, Response

from service.api.access import requires
from service.api.context import context_of
from service.api.problems import Problem

router = APIRouter(tags=["health"])


@router.get("/healthz")
async def healthz() -> dict[str, str]:
    """Return that the process answers."""
    return {"status": "ok"}


@router.get("/readyz")
async def readyz(request: Request) -> dict[str, str]:
    """Return that a model is loaded; 503 until then."""
    if (missing := context_of(request).models.missing()) is not None:
        raise Problem(503, "not_ready", missing, headers={"Retry-After": "1"})
    return {"status": "ready"}


@router.get("/metrics", dependencies=[requires("read")], response_class=Response)
async def metrics(request: Request) -> Response:
    """Return metrics in Prometheus' text format."""
    found = context_of(request).metrics
    return Response(found.text(), media_type=found.content_type)
