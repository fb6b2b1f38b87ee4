"""The application: middleware, routes and what they share."""

from fastapi import FastAPI

from service.api import health
from service.api.access import Access
from service.api.admission import Admission
from service.api.body_limit import BodyLimit
from service.api.metrics import Metrics
from service.api.origin import Origin
from service.api.problems import add_problem_handlers
from service.api.request_log import RequestLog
from service.api.settings import Settings
from service.api.tokens import TokenStore


def create_app(settings: Settings, tokens: TokenStore, *, readiness: health.Readiness) -> FastAPI:
    """Return the application.

    Args:
        settings: names, limits, and whether requests need a token.
        tokens: those that are accepted.
        readiness: for /readyz.
    """
    app = FastAPI(title="facenet", version="1", docs_url=None, redoc_url=None, openapi_url="/v1/openapi.json")
    metrics = Metrics()
    app.state.metrics = metrics
    app.state.access = Access(tokens if settings.needs_tokens else None)
    app.state.readiness = readiness
    app.include_router(health.router)
    add_problem_handlers(app)
    app.add_middleware(BodyLimit, limits=settings.limits)  # the innermost
    app.add_middleware(Admission, requests=settings.limits.requests, metrics=metrics)
    app.add_middleware(Origin, hosts=settings.host_names)
    app.add_middleware(RequestLog, metrics=metrics)
    return app
