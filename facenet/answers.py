"""Answers made of detections and templates, without networks."""

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from facenet.detection import AlignedFace, Faces
from facenet.matching import Matcher
from facenet.results import SIDES, Face, PhotoError, Point, Verification

Answer = Face | PhotoError


def face_of(aligned: AlignedFace) -> Face:
    """Return the face that was cropped, without template and quality."""
    return Face(
        box=_box(aligned.box),
        landmarks=_points(aligned.landmarks),
        probability=float(aligned.probability),
        fallback=bool(aligned.fallback),
        faces_found=int(aligned.faces_found),
    )


def faces_of(found: Faces) -> list[Face]:
    """Return the faces detected in one photo."""
    rows = zip(found.boxes, found.landmarks, found.probabilities, strict=True)
    return [
        Face(box=_box(box), landmarks=_points(points), probability=float(p), faces_found=len(found))
        for box, points, p in rows
    ]


def _box(box: NDArray[np.float32]) -> tuple[float, float, float, float]:
    x0, y0, x1, y1 = (float(edge) for edge in box)
    return x0, y0, x1, y1


def _points(landmarks: NDArray[np.float32]) -> tuple[Point, ...] | None:
    """Return the landmarks, None if there are none: they are then NaN."""
    if not math.isfinite(float(landmarks.sum())):
        return None
    return tuple((float(x), float(y)) for x, y in landmarks)


class Verifier:
    """Decides by a calibration whether pairs of faces show the same person.

    Args:
        matcher: the calibration.
        far: the target false accept rate; None: the default threshold.
        prior: the expected fraction of pairs that match, in (0, 1).

    Raises:
        ValueError: the matcher has no threshold for `far`.
    """

    def __init__(self, matcher: Matcher, *, far: float | None, prior: float) -> None:
        self._matcher, self._prior = matcher, prior
        self._threshold, self._reason = matcher.threshold_at(far), matcher.shortage(far)

    def answers(self, pairs: Sequence[tuple[Answer, Answer]]) -> list[Verification]:
        """Return the verification of each pair of faces with templates, or of what replaces them."""
        rows = [row for row, pair in enumerate(pairs) if all(isinstance(face, Face) for face in pair)]
        left, right = ([_template(pairs[row][side]) for row in rows] for side in (0, 1))
        distances = self._matcher.template_pairs(left, right)
        probabilities = self._matcher.probability(distances, self._prior)
        measured = {
            row: (float(d), float(p)) for row, d, p in zip(rows, distances, probabilities, strict=True)
        }
        return [self._answer(pair, *measured.get(row, (None, None))) for row, pair in enumerate(pairs)]

    def _answer(
        self, pair: tuple[Answer, Answer], distance: float | None, probability: float | None
    ) -> Verification:
        left, right = (face if isinstance(face, Face) else None for face in pair)
        errors = [
            f"{face} ({side} photo)"
            for side, face in zip(SIDES, pair, strict=True)
            if isinstance(face, PhotoError)
        ]
        return Verification(
            match=distance is not None and distance < self._threshold,
            distance=distance,
            threshold=self._threshold,
            probability=probability,
            supported=self._reason is None,
            reason=self._reason,
            left=left,
            right=right,
            error="; ".join(errors) or None,
            site=self._matcher.site_name,
        )


def _template(face: Answer) -> NDArray[np.float32]:
    assert isinstance(face, Face)
    assert face.template is not None
    return face.template
