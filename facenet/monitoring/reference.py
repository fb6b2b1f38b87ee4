"""What an evaluation has measured about its faces: the reference that production is compared with."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from facenet.atomic import write_text
from facenet.errors import WeightsInvalid

FORMAT = 1
MAX_ROWS = 2000  # stored; the file then has 100 kB
DIGITS = 5  # significant ones
# Of one face. side to brightness: see facenet.quality; yaw to roll: see facenet.pose.
MEASURES = (
    *("detector_probability", "side", "sharpness", "brightness"),
    *("yaw", "pitch", "roll", "centroid_distance"),
)
_FIX = "Run `dvc repro evaluate`, and `dvc repro register` for a registered model."
Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False, kw_only=True)
class Reference:
    """The content of monitoring.json.

    weights_sha256: of the model. photos, no_face: evaluated, and those in which no face was found. centroid:
    (E,) the mean of the faces' embeddings, each scaled to length 1. rows: (M, 8) `MEASURES` of at most
    `MAX_ROWS` of the faces; a column that was not measured is NaN.
    """

    weights_sha256: str
    photos: int
    no_face: int
    centroid: Floats
    rows: Floats

    def distance(self, embedding: npt.ArrayLike) -> float:
        """Return the Euclidean distance of an (E,) embedding, scaled to length 1, to the centroid."""
        return float(centroid_distances(np.asarray(embedding)[None], self.centroid)[0])

    def write(self, path: Path) -> None:
        """Write the file atomically."""
        content = {
            "format": FORMAT,
            "weights_sha256": self.weights_sha256,
            "photos": self.photos,
            "no_face": self.no_face,
            "centroid": [_rounded(value) for value in self.centroid],
            "measures": list(MEASURES),
        }
        head = json.dumps(content, allow_nan=False, indent=1)[:-2]
        rows = ",\n  ".join(
            json.dumps([_rounded(value) for value in row], allow_nan=False) for row in self.rows
        )
        write_text(path, f'{head},\n "rows": [\n  {rows}\n ]\n}}\n')

    @classmethod
    def parse(cls, content: dict[str, Any]) -> Self:
        """Return the reference in the content of a file.

        Raises:
            ValueError, TypeError, KeyError: the content is invalid.
        """
        if content["format"] != FORMAT or content["measures"] != list(MEASURES):
            raise ValueError(f"unsupported format, expected {FORMAT}")
        centroid = np.array(content["centroid"], np.float64)
        if centroid.ndim != 1 or not np.isfinite(centroid).all():
            raise ValueError("the centroid is not a list of numbers")
        rows = np.array(content["rows"], np.float64).reshape(-1, len(MEASURES))
        return cls(
            weights_sha256=str(content["weights_sha256"]),
            photos=int(content["photos"]),
            no_face=int(content["no_face"]),
            centroid=centroid,
            rows=rows,
        )


def measured_reference(
    weights_sha256: str, embeddings: npt.ArrayLike, measures: npt.ArrayLike, *, no_face: int, seed: int
) -> Reference:
    """Return the reference of N evaluated faces.

    Args:
        weights_sha256: of the model.
        embeddings: (N, E) of the faces.
        measures: (N, 7) all `MEASURES` but the last, which is computed here.
        no_face: number of evaluated photos without a face, which are not among the N.
        seed: of the choice of rows if there are more than `MAX_ROWS`.
    """
    faces = np.asarray(embeddings, np.float64)
    mean = _unit(faces).sum(axis=0) / max(1, len(faces))  # 0 without faces, as in a workspace of fallbacks
    centroid = np.array([_rounded(value) for value in mean], np.float64)
    rows = np.column_stack([np.asarray(measures, np.float64), centroid_distances(faces, centroid)])
    if len(rows) > MAX_ROWS:
        chosen = np.random.default_rng(seed).choice(len(rows), MAX_ROWS, replace=False)
        rows = rows[np.sort(chosen)]
    return Reference(
        weights_sha256=weights_sha256,
        photos=len(faces) + no_face,
        no_face=no_face,
        centroid=centroid,
        rows=rows,
    )


def centroid_distances(embeddings: npt.ArrayLike, centroid: npt.ArrayLike) -> Floats:
    """Return the (N,) Euclidean distances of (N, E) embeddings, scaled to length 1, to an (E,) centroid."""
    found: Floats = np.linalg.norm(_unit(np.asarray(embeddings, np.float64)) - np.asarray(centroid), axis=1)
    return found


def read_reference(path: Path, weights_sha256: str) -> Reference | None:
    """Return the reference of a model with these weights, or None if it has none, as in earlier versions.

    Raises:
        WeightsInvalid: the file is invalid, or was measured with other weights.
    """
    if not path.exists():
        return None
    try:
        reference = Reference.parse(json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise WeightsInvalid(f"{path} is not a valid monitoring reference: {error}. {_FIX}") from error
    if reference.weights_sha256 != weights_sha256:
        raise WeightsInvalid(
            f"{path} belongs to weights {reference.weights_sha256[:12]} and the model has "
            f"{weights_sha256[:12]}. {_FIX}"
        )
    return reference


def rounded(rows: Floats) -> Floats:
    """Return values with as many digits as the file has, so that a day is as coarse as the reference.

    Detection probabilities are so near 1 that the last digits alone would tell both apart.
    """
    texts = [float(f"{value:.{DIGITS}g}") for value in rows.ravel()]
    return np.array(texts, np.float64).reshape(rows.shape)


def _unit(rows: Floats) -> Floats:
    lengths = np.linalg.norm(rows, axis=1, keepdims=True)
    return rows / np.where(lengths > 0, lengths, 1.0)


def _rounded(value: float) -> float | None:
    return float(f"{value:.{DIGITS}g}") if np.isfinite(value) else None
