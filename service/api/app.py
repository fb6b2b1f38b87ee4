"""The application: middleware, operations and what they share."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from fastapi import FastAPI
from starlette.concurrency import run_in_threadpool

from service.api.access import Access
from service.api.admission import Admission
from service.api.batching import Batcher
from service.api.body_limit import BodyLimit
from service.api.context import Context
from service.api.decisions import Decisions
from service.api.galleries import Galleries, add_gallery_handler
from service.api.metrics import Metrics
from service.api.models import Models, Source
from service.api.origin import Origin
from service.api.problems import add_problem_handlers
from service.api.request_log import RequestLog
from service.api.routes import embed, health, identify, model, people, verify
from service.api.schemas import ProblemAnswer
from service.api.settings import Settings
from service.api.tokens import TokenStore

ROUTERS = (embed.router, verify.router, identify.router, people.router, model.router, health.router)
ABOUT = "Verify, identify and enrol faces. Every probability is calibrated by the evaluation of the model."


def create_app(
    settings: Settings,
    tokens: TokenStore,
    source: Source,
    gallery: str | Path | None = None,
    decisions: Decisions | None = None,
) -> FastAPI:
    """Return the application; it loads the model when it starts.

    Args:
        settings: names, limits, and whether requests need a token.
        tokens: those that are accepted.
        source: of the model.
        gallery: path or URL; None: that of FACENET_GALLERY.
        decisions: where they are logged; None: nowhere.
    """
    context = _context(settings, tokens, source, gallery, decisions or Decisions())
    app = FastAPI(
        title="facenet",
        version="1",
        description=ABOUT,
        docs_url=None,  # they load scripts from another host
        redoc_url=None,
        openapi_url="/v1/openapi.json",
        lifespan=_lifespan,
    )
    app.state.context = context
    for router in ROUTERS:
        app.include_router(router, responses={"4XX": {"model": ProblemAnswer}, 422: {"model": ProblemAnswer}})
    add_problem_handlers(app)
    add_gallery_handler(app)
    app.add_middleware(BodyLimit, limits=settings.limits)  # the innermost
    app.add_middleware(Admission, requests=settings.limits.requests, metrics=context.metrics)
    app.add_middleware(Origin, hosts=settings.host_names)
    app.add_middleware(RequestLog, metrics=context.metrics)
    return app


def _context(
    settings: Settings,
    tokens: TokenStore,
    source: Source,
    gallery: str | Path | None,
    decisions: Decisions,
) -> Context:
    metrics, limits = Metrics(), settings.limits
    models = Models(source, metrics=metrics)
    decisions.count_dropped(metrics.dropped.inc)
    return Context(
        limits=limits,
        access=Access(tokens if settings.needs_tokens else None),
        metrics=metrics,
        models=models,
        batcher=Batcher(
            models.model,
            waiting=limits.waiting,
            faces=limits.faces,
            threads=settings.threads,
            metrics=metrics,
        ),
        galleries=Galleries(gallery),
        decisions=decisions,
    )


@asynccontextmanager
async def _lifespan(app: FastAPI) -> AsyncIterator[None]:
    context: Context = app.state.context
    context.start()
    yield
    await run_in_threadpool(context.close)
