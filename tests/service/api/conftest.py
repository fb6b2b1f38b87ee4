"""A started app with a model, shared by all tests of the operations."""

from collections.abc import Iterator

import pytest
from fastapi.testclient import TestClient

from facenet.face_model import FaceModel
from service.api.app import create_app
from service.api.models import Source
from service.api.settings import Limits, Settings
from service.api.tokens import TokenStore
from tests.waiting import wait_for


@pytest.fixture(scope="session")
def client(face_model: FaceModel, tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    """A client of an app with the small model."""
    settings = Settings(limits=Limits(photos=4, faces=2))
    app = create_app(
        settings, TokenStore(), Source(lambda: face_model), tmp_path_factory.mktemp("gallery") / "gallery.db"
    )
    with TestClient(app, base_url="http://localhost") as found:
        wait_for(lambda: found.get("/readyz").status_code == 200, 60)
        yield found
