"""The application of `facenet review`, protected like that of `facenet serve`."""

from fastapi import FastAPI
from starlette.staticfiles import StaticFiles

from service.api.body_limit import BodyLimit
from service.api.origin import Origin
from service.api.problems import add_problem_handlers
from service.api.settings import Limits, Settings
from service.pages.rendering import FOLDER as PAGES
from service.review.rendering import FOLDER
from service.review.reviewing import Review
from service.review.router import router

FORM_BYTES = 2**16  # of one request


def create_app(review: Review, settings: Settings) -> FastAPI:
    """Return the application for a review, for browsers of this machine."""
    app = FastAPI(title="facenet review", docs_url=None, redoc_url=None, openapi_url=None)
    app.state.review = review
    app.include_router(router)
    app.mount("/static/review", StaticFiles(directory=FOLDER / "static"), name="review")
    app.mount("/static", StaticFiles(directory=PAGES / "static"), name="static")
    add_problem_handlers(app)
    app.add_middleware(BodyLimit, limits=Limits(body=FORM_BYTES))
    app.add_middleware(Origin, hosts=settings.host_names)
    return app
