"""The reference that monitoring compares production with: measures of the evaluated faces."""

import numpy as np
import numpy.typing as npt
import pandas as pd

from facenet.monitoring.reference import measured_reference
from facenet.pose import poses
from tasks.evaluate.embeddings import Embeddings
from tasks.evaluate.files import EvaluatePaths
from tasks.shards import read_table

COLUMNS = ("side", "sharpness", "brightness")


def write_reference(
    embedded: Embeddings, qualities: pd.DataFrame, files: EvaluatePaths, *, weights_sha256: str, seed: int
) -> None:
    """Write monitoring.json: what production measures of a face, for all embedded ones but fallbacks.

    Args:
        embedded: the photos.
        qualities: see `photo_qualities`, of the same photos.
        files: the face table, and where to write.
        weights_sha256: of the model.
        seed: of the choice of rows.
    """
    table = read_table(files.aligned, "faces", ["image_id", "probability", "landmarks", "fallback"])
    row_of = {image_id: row for row, image_id in enumerate(table["image_id"].to_pylist())}
    rows = np.array([row_of[image_id] for image_id in embedded.image_ids], np.intp)
    found = ~np.array(table["fallback"].to_pylist(), bool)[rows]
    landmarks = _points(table["landmarks"].to_pylist())[rows]
    measures = np.column_stack(
        [
            np.array(table["probability"].to_pylist(), np.float64)[rows],
            qualities.loc[list(embedded.image_ids), list(COLUMNS)].to_numpy(np.float64),
            poses(landmarks),
        ]
    )
    measured_reference(
        weights_sha256, embedded.faces[found], measures[found], no_face=int((~found).sum()), seed=seed
    ).write(files.monitoring)


def _points(landmarks: list[list[float] | None]) -> npt.NDArray[np.float64]:
    """Return the (N, 5, 2) landmarks, NaN where there are none."""
    missing = [float("nan")] * 10
    return np.array([points or missing for points in landmarks], np.float64).reshape(-1, 5, 2)
