"""The description of the API as docs/openapi.json: `python -m service.api.openapi > docs/openapi.json`."""

import json
import sys

from facenet.errors import SourceInvalid
from facenet.face_model import FaceModel
from service.api.app import create_app
from service.api.models import Source
from service.api.settings import Settings
from service.api.tokens import TokenStore


def description() -> str:
    """Return the OpenAPI description as JSON text."""
    app = create_app(Settings(), TokenStore(), Source(_no_model))
    return json.dumps(app.openapi(), indent=2, ensure_ascii=False, allow_nan=False) + "\n"


def _no_model() -> FaceModel:
    raise SourceInvalid("The description needs no model.")


if __name__ == "__main__":
    sys.stdout.write(description())
