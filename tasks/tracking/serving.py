"""The model as MLflow serves it: MLflow keeps this file as its code and runs it whenever it is loaded.

It imports nothing of the pipeline but `facenet`, which lies beside it in the logged model.
"""

from pathlib import Path
from typing import Any

import pandas as pd
from mlflow.models import set_model
from mlflow.pyfunc import PythonModel, PythonModelContext

from facenet.serving import FaceEmbedder


class ServedFaceEmbedder(PythonModel):  # type: ignore[misc]  # mlflow is not typed for us
    """Column `image` in, one dict per row out: see FaceEmbedder.embed."""

    def load_context(self, context: PythonModelContext) -> None:
        """Load the networks; device and batch_size come from the model's configuration."""
        config = context.model_config
        self._embedder = FaceEmbedder.load(
            Path(context.artifacts["card"]).parent, device=config["device"], batch_size=config["batch_size"]
        )

    def predict(
        self, context: PythonModelContext, model_input: pd.DataFrame, params: dict[str, Any] | None = None
    ) -> list[dict[str, Any]]:
        """Return one entry per row of column `image`: bytes of a photo's file, or the same in base64."""
        del context, params  # part of MLflow's interface
        return self._embedder.embed(model_input["image"].tolist())


set_model(ServedFaceEmbedder())
