"""The answers of a served model: one entry per photo, and the verification of two photos."""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from facenet.detection import AlignedFace
from facenet.errors import ImageRejected
from facenet.evaluation.distances import Floats
from facenet.matching import Matcher

KEYS = ("embedding", "box", "probability", "landmarks", "faces_found", "fallback")
SIDES = ("left", "right")


def entry(face: AlignedFace | ImageRejected, embedding: NDArray[np.float32] | None) -> dict[str, Any]:
    """Return the entry of a photo as `FaceEmbedder.embed` describes it; embedding: (E,) of its face."""
    if isinstance(face, ImageRejected):
        return {**dict.fromkeys(KEYS), "error": f"{face.reason}: {face}"}
    landmarks = np.asarray(face.landmarks, np.float32)
    return {
        "embedding": None if embedding is None else embedding.tolist(),
        "box": np.asarray(face.box, np.float32).tolist(),
        "probability": float(face.probability),
        "landmarks": landmarks.tolist() if math.isfinite(float(landmarks.sum())) else None,
        "faces_found": int(face.faces_found),
        "fallback": bool(face.fallback),
        "error": None,
    }


class Answer:
    """The answer of `FaceEmbedder.verify`, which describes its keys.

    Raises:
        ValueError: the matcher has no threshold for `far`.
    """

    def __init__(self, matcher: Matcher, *, far: float | None, prior: float) -> None:
        self._matcher, self._prior = matcher, prior
        self._threshold, self._reason = matcher.threshold_at(far), matcher.shortage(far)

    def error(self, faces: Sequence[AlignedFace | ImageRejected]) -> str | None:
        """Return why the two photos cannot be compared; None if both have a face."""
        for side, face in zip(SIDES, faces, strict=True):
            if isinstance(face, ImageRejected):
                return f"{face.reason}: {face} ({side} photo)"
            if face.fallback:
                return f"no_face: no face was found in the {side} photo"
        return None

    def without_match(self, faces: Sequence[AlignedFace | ImageRejected], error: str) -> dict[str, Any]:
        """Return the answer for photos that cannot be compared."""
        return self._answer(faces, match=False, distance=None, probability=None, error=error)

    def of(self, faces: Sequence[AlignedFace | ImageRejected], distances: Floats) -> dict[str, Any]:
        """Return the answer for the (1,) distance between the two faces."""
        return self._answer(
            faces,
            match=bool(distances[0] < self._threshold),
            distance=float(distances[0]),
            probability=float(self._matcher.probability(distances, self._prior)[0]),
            error=None,
        )

    def _answer(self, faces: Sequence[AlignedFace | ImageRejected], **values: Any) -> dict[str, Any]:
        hidden = ("embedding", "landmarks")
        entries = [{k: v for k, v in entry(face, None).items() if k not in hidden} for face in faces]
        return {
            **values,
            "threshold": self._threshold,
            "supported": self._reason is None,
            "reason": self._reason,
            **dict(zip(SIDES, entries, strict=True)),
        }
