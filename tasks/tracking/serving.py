"""The served model: MLflow stores this file as the model's code and runs it when the model is loaded.

Of the pipeline it imports only `facenet`, which is stored next to it in the logged model.
"""

from pathlib import Path
from typing import Any

import pandas as pd
from mlflow.models import set_model
from mlflow.pyfunc import PythonModel, PythonModelContext

from facenet.errors import ImageRejected
from facenet.face_model import FaceModel
from facenet.photos import from_base64
from facenet.results import Face, PhotoError

KEYS = ("embedding", "box", "probability", "landmarks", "faces_found", "fallback")


class ServedFaceModel(PythonModel):  # type: ignore[misc]  # mlflow is not typed for us
    """Takes the column `image`, bytes of photos or their base64, and returns one dict per row."""

    def load_context(self, context: PythonModelContext) -> None:
        """Load the networks on the device and with the batch_size of the model's configuration."""
        config = context.model_config
        self._model = FaceModel.load(
            Path(context.artifacts["card"]).parent, device=config["device"], batch_size=config["batch_size"]
        )

    def predict(
        self, context: PythonModelContext, model_input: pd.DataFrame, params: dict[str, Any] | None = None
    ) -> list[dict[str, Any]]:
        """Return one entry per row; a photo without a face has `fallback` and the embedding of its centre."""
        del context, params  # required by MLflow's interface
        photos = [_photo(value) for value in model_input["image"]]
        faces = iter(self._model.embed([p for p in photos if isinstance(p, bytes)], fallback=True))
        return [entry(next(faces) if isinstance(photo, bytes) else photo) for photo in photos]


def entry(face: Face | PhotoError) -> dict[str, Any]:
    """Return the answer for one photo: all have the same keys."""
    if isinstance(face, PhotoError):
        return {**dict.fromkeys(KEYS), "error": str(face)}
    return {**{key: value for key, value in face.to_dict().items() if key in KEYS}, "error": None}


def _photo(value: object) -> bytes | PhotoError:
    if isinstance(value, bytes):
        return value
    if not isinstance(value, str):
        message = f"a photo must be bytes or base64 text, not {type(value).__name__}"
        return PhotoError("unsupported", message)
    try:
        return from_base64(value)
    except ImageRejected as rejected:
        return PhotoError(rejected.reason, str(rejected))


set_model(ServedFaceModel())
