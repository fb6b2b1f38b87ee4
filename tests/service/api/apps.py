"""Apps for tests."""

from fastapi import FastAPI

from facenet.face_model import FaceModel
from service.api.app import create_app
from service.api.decisions import Decisions
from service.api.models import Source
from service.api.settings import Settings
from service.api.tokens import TokenStore


def bare_app(
    settings: Settings | None = None,
    tokens: TokenStore | None = None,
    decisions: Decisions | None = None,
) -> FastAPI:
    """Return an app without a model, which is not started."""
    return create_app(settings or Settings(), tokens or TokenStore(), Source(_unused), decisions=decisions)


def _unused() -> FaceModel:
    raise AssertionError("the app was not to be started")
