"""The served model: MLflow stores this file as the model's code and runs it when the model is loaded.

Of the pipeline it imports only `facenet`, which is stored next to it in the logged model.
"""

from pathlib import Path
from typing import Any

import pandas as pd
from mlflow.models import set_model
from mlflow.pyfunc import PythonModel, PythonModelContext

from facenet.serving import FaceEmbedder


class ServedFaceEmbedder(PythonModel):  # type: ignore[misc]  # mlflow is not typed for us
    """Takes the column `image` and returns one dict per row, see FaceEmbedder.embed."""

    def load_context(self, context: PythonModelContext) -> None:
        """Load the networks on the device and with the batch_size of the model's configuration."""
        config = context.model_config
        self._embedder = FaceEmbedder.load(
            Path(context.artifacts["card"]).parent, device=config["device"], batch_size=config["batch_size"]
        )

    def predict(
        self, context: PythonModelContext, model_input: pd.DataFrame, params: dict[str, Any] | None = None
    ) -> list[dict[str, Any]]:
        """Return one entry per row of column `image`, the bytes of a photo's file or their base64."""
        del context, params  # required by MLflow's interface
        return self._embedder.embed(model_input["image"].tolist())


set_model(ServedFaceEmbedder())
