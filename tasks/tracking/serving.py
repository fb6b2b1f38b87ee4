"""The served model: MLflow stores this file as the model's code and runs it when the model is loaded.

Of the pipeline it imports only `facenet`, which is stored next to it in the logged model.
"""

from collections.abc import Hashable, Mapping
from pathlib import Path
from typing import Any

import pandas as pd
from mlflow.models import set_model
from mlflow.pyfunc import PythonModel, PythonModelContext

from facenet.errors import ImageRejected, WeightsInvalid
from facenet.face_model import FaceModel
from facenet.photos import from_base64
from facenet.results import SIDES, Face, PhotoError, Verification

OF_FACE = ("embedding", "box", "probability", "landmarks", "faces_found", "fallback")
OF_PAIR = ("match", "distance", "threshold", "probability", "supported", "reason", "site")
Row = Mapping[str, Any]
Answer = dict[str, Any]


class ServedFaceModel(PythonModel):  # type: ignore[misc]  # mlflow is not typed for us
    """Takes rows with `image`, or with `left` and `right`, and returns one dict per row."""

    def load_context(self, context: PythonModelContext) -> None:
        """Load the networks on the device and with the batch_size of the model's configuration."""
        config = context.model_config
        self._model = FaceModel.load(
            Path(context.artifacts["card"]).parent, device=config["device"], batch_size=config["batch_size"]
        )

    def predict(
        self, context: PythonModelContext, model_input: pd.DataFrame, params: dict[str, Any] | None = None
    ) -> list[Answer]:
        """Return one answer per row; photos are the bytes of a file or their base64.

        A row with `image` is embedded; a photo without a face has `fallback` and the embedding of its centre.
        A row with `left` and `right` is verified. All answers to one kind of row have the same keys.

        Raises:
            ValueError: the frame has none of these columns.
        """
        del context, params  # required by MLflow's interface
        if model_input.columns.empty:  # MLflow drops columns that it does not know, without an error
            raise ValueError("The rows need a column `image`, or columns `left` and `right`.")
        rows = [_given(row) for row in model_input.to_dict("records")]
        answers: list[Answer] = [_refused(row) for row in rows]
        photos = [number for number, row in enumerate(rows) if set(row) == {"image"}]
        pairs = [number for number, row in enumerate(rows) if set(row) == set(SIDES)]
        for kind, embed in ((photos, self._embedded), (pairs, self._verified)):
            for number, answer in zip(kind, embed([rows[number] for number in kind]), strict=True):
                answers[number] = answer
        return answers

    def _embedded(self, rows: list[Row]) -> list[Answer]:
        photos = [_photo(row["image"]) for row in rows]
        faces = iter(self._model.embed([p for p in photos if isinstance(p, bytes)], fallback=True))
        return [_answer(p if isinstance(p, PhotoError) else next(faces), OF_FACE) for p in photos]

    def _verified(self, rows: list[Row]) -> list[Answer]:
        pairs = [(_photo(row["left"]), _photo(row["right"])) for row in rows]
        whole = [(a, b) for a, b in pairs if isinstance(a, bytes) and isinstance(b, bytes)]
        try:
            found = iter(self._model.compare(whole))
        except WeightsInvalid as error:  # the model was not evaluated: rows with an image are still answered
            return [_error(str(error), OF_PAIR) for _ in rows]
        wrong = [
            "; ".join(
                f"{photo} ({side} photo)"
                for side, photo in zip(SIDES, pair, strict=True)
                if isinstance(photo, PhotoError)
            )
            for pair in pairs
        ]
        return [_error(message, OF_PAIR) if message else _answer(next(found), OF_PAIR) for message in wrong]


def _answer(result: Face | PhotoError | Verification, keys: tuple[str, ...]) -> Answer:
    if isinstance(result, PhotoError):
        return _error(str(result), keys)
    found = result.to_dict()
    return {**{key: found[key] for key in keys}, "error": found.get("error")}


def _error(message: str, keys: tuple[str, ...]) -> Answer:
    return {**dict.fromkeys(keys), **({"match": False} if "match" in keys else {}), "error": message}


def _refused(row: Row) -> Answer:
    given = " and ".join(row) or "nothing"
    return {"error": f"unsupported: a row has `image`, or `left` and `right`; this one has {given}"}


def _given(row: Mapping[Hashable, Any]) -> Row:
    """Return the values of a row that are there; pandas has None, NaN or NA for the others."""
    scalar = pd.api.types.is_scalar
    return {str(name): value for name, value in row.items() if not (scalar(value) and pd.isna(value))}


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
