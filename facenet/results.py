"""What FaceModel answers: faces, their quality, rejected photos and verifications.

All are frozen, print on one line and have `to_dict` for JSON: plain numbers, strings, lists and None.
"""

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

SIDES = ("left", "right")
Point = tuple[float, float]


@dataclass(frozen=True)
class Quality:
    """How well a face can be recognised; see facenet.quality for the formulas.

    side: pixels, the shorter side of the box. sharpness: variance of the Laplacian, 0 for a uniform image.
    brightness: mean grey value, 0 to 255.
    """

    side: float
    sharpness: float
    brightness: float

    def __str__(self) -> str:
        return f"{self.side:.0f} px, sharpness {self.sharpness:.0f}, brightness {self.brightness:.0f}"

    def to_dict(self) -> dict[str, float]:
        """Return the fields."""
        return {"side": self.side, "sharpness": self.sharpness, "brightness": self.brightness}


@dataclass(frozen=True, eq=False)
class Face:
    """One face of a photo. Coordinates are pixels of the upright photo.

    box: x0, y0, x1, y1, half open; may extend past the photo. landmarks: eyes, nose and mouth corners, the
    left one in the photo first; None without a detection. probability: of the detector, 0 to 1. template:
    (D,) float32, compared by `Matcher.template_distances`; None if not requested, or if the model was not
    evaluated. embedding: (E,) float32, the network's output for the face; None if not requested. quality:
    None if not measured. fallback: no face was found, and this is the centre of the photo. faces_found: in
    the photo.
    """

    box: tuple[float, float, float, float]
    landmarks: tuple[Point, ...] | None
    probability: float
    template: NDArray[np.float32] | None = field(default=None, repr=False)
    quality: Quality | None = None
    fallback: bool = False
    faces_found: int = 1
    embedding: NDArray[np.float32] | None = field(default=None, repr=False)

    def __str__(self) -> str:
        x0, y0, x1, y1 = self.box
        what = "no face, centre" if self.fallback else f"face, probability {self.probability:.3f},"
        others = f", 1 of {self.faces_found}" if self.faces_found > 1 else ""
        quality = f" ({self.quality})" if self.quality else ""
        return f"{what} at {x0:.0f} {y0:.0f} {x1:.0f} {y1:.0f}{others}{quality}"

    def to_dict(self, *, vectors: bool = True) -> dict[str, Any]:
        """Return the fields, template and embedding only if `vectors`."""
        found: dict[str, Any] = {
            "box": list(self.box),
            "landmarks": None if self.landmarks is None else [list(point) for point in self.landmarks],
            "probability": self.probability,
            "quality": None if self.quality is None else self.quality.to_dict(),
            "fallback": self.fallback,
            "faces_found": self.faces_found,
        }
        if vectors:
            found["template"] = None if self.template is None else self.template.tolist()
            found["embedding"] = None if self.embedding is None else self.embedding.tolist()
        return found


@dataclass(frozen=True)
class PhotoError:
    """Why a photo has no face to compare.

    reason: `no_face`, `unreadable` (the file cannot be opened), or a reason of `facenet.images.read_photo`:
    empty, unsupported, too_large, corrupt.
    """

    reason: str
    message: str

    def __str__(self) -> str:
        return f"{self.reason}: {self.message}"

    def to_dict(self) -> dict[str, str]:
        """Return the fields."""
        return {"reason": self.reason, "message": self.message}


@dataclass(frozen=True, eq=False, kw_only=True)
class Verification:
    """Whether two photos show the same person.

    match: whether the distance is below the threshold; False if there is an error. distance: between the
    templates, None if there is an error. threshold: the default one, or that of the target false accept rate.
    probability: of a match, None if there is an error. supported: whether the evaluation had enough people to
    state the threshold's rate. reason: why not, else None; threshold and probability may then be far off.
    left, right: the faces compared, None where a photo is unreadable or shows no face. error: which, and why.
    site: name of the site calibration that threshold and probability are of; None: the evaluation's.
    """

    match: bool
    distance: float | None
    threshold: float
    probability: float | None
    supported: bool
    reason: str | None
    left: Face | None
    right: Face | None
    error: str | None = None
    site: str | None = None

    def __str__(self) -> str:
        unsure = "" if self.supported else f"; not supported: {self.reason}"
        if self.distance is None or self.probability is None:
            return f"no answer: {self.error}"
        answer, sign = ("same person", "<") if self.match else ("different people", ">=")
        return (
            f"{answer}, probability of a match {self.probability:.3f} "
            f"(distance {self.distance:.4f} {sign} threshold {self.threshold:.4f}){unsure}"
        )

    def to_dict(self, *, vectors: bool = False) -> dict[str, Any]:
        """Return the fields; those of the faces with template and embedding only if `vectors`."""
        faces = {side: getattr(self, side) for side in SIDES}
        return {
            "match": self.match,
            "distance": self.distance,
            "threshold": self.threshold,
            "probability": self.probability,
            "supported": self.supported,
            "reason": self.reason,
            "site": self.site,
            "error": self.error,
            **{side: face and face.to_dict(vectors=vectors) for side, face in faces.items()},
        }
