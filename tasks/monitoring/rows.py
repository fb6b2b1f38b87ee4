"""The rows of the decision log, made of what FaceModel answers."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Literal

from facenet.pose import pose_of
from facenet.results import Face, PhotoError, Verification

if TYPE_CHECKING:
    from facenet.face_model import FaceModel
    from facenet.identification.identifier import Identification

Kind = Literal["verify", "identify", "embed", "score"]
Decision = Literal["match", "no match", "none", "no face", "rejected"]
SITE = "default"  # of a model without a site calibration
NO_FACE = "no_face"


@dataclass(frozen=True, kw_only=True)
class Measures:
    """Of one face, None where not measured: see facenet.quality, facenet.pose and Reference.distance."""

    detector_probability: float | None = None
    side: float | None = None
    sharpness: float | None = None
    brightness: float | None = None
    yaw: float | None = None
    pitch: float | None = None
    roll: float | None = None
    centroid_distance: float | None = None


@dataclass(frozen=True, kw_only=True)
class DecisionRow:
    """One decision.

    time: ISO 8601 in UTC, milliseconds. model: digest. version: where the model comes from. site: name of the
    place. kind: of request. decision: "none" for faces that were only embedded. score: distance that was
    compared with `threshold`. probability: of a match. latency: milliseconds. main: whether it is the largest
    face of its photo; monitoring compares these alone. face, other: of the left and the right photo of a
    verification; otherwise there is no other.
    """

    time: str
    model: str
    version: str
    site: str
    kind: Kind
    decision: Decision
    score: float | None = None
    probability: float | None = None
    threshold: float | None = None
    latency: float | None = None
    main: bool = True
    face: Measures = Measures()
    other: Measures = Measures()

    def to_columns(self) -> dict[str, Any]:
        """Return the row as columns of the table."""
        columns = {field.name: getattr(self, field.name) for field in dataclasses.fields(self)}
        face, other = columns.pop("face"), columns.pop("other")
        return {**columns, **vars(face), **{f"other_{name}": value for name, value in vars(other).items()}}


@dataclass(frozen=True, kw_only=True)
class Circumstances:
    """What a row says besides the answer. site: None for the name of the model's site calibration."""

    site: str | None = None
    latency: float | None = None
    time: datetime | None = None


def verification_row(model: FaceModel, answer: Verification, **circumstances: Any) -> DecisionRow:
    """Return the row of a verification.

    Args:
        model: that answered.
        answer: of the model.
        circumstances: see Circumstances.
    """
    decision: Decision = "match" if answer.match else "no match"
    if answer.error is not None:
        decision = _failed(answer.error)
    return _row(
        model,
        "verify",
        decision,
        score=answer.distance,
        probability=answer.probability,
        threshold=answer.threshold,
        face=measures_of(model, answer.left),
        other=measures_of(model, answer.right),
        **circumstances,
    )


def identification_row(
    model: FaceModel, face: Face, answer: Identification, *, main: bool = True, **circumstances: Any
) -> DecisionRow:
    """Return the row of an identified face, without the name; main: whether it is the photo's largest."""
    return _row(
        model,
        "identify",
        "no match" if answer.name is None else "match",
        score=answer.distance,
        probability=answer.probability,
        threshold=answer.threshold,
        main=main,
        face=measures_of(model, face),
        **circumstances,
    )


def face_row(
    model: FaceModel, face: Face, *, kind: Kind = "embed", main: bool = True, **circumstances: Any
) -> DecisionRow:
    """Return the row of a face that was embedded only; one that is a fallback counts as no face."""
    if face.fallback:
        return _row(model, kind, "no face", **circumstances)
    return _row(model, kind, "none", main=main, face=measures_of(model, face), **circumstances)


def failure_row(model: FaceModel, error: PhotoError, *, kind: Kind, **circumstances: Any) -> DecisionRow:
    """Return the row of a photo that was not decided on: it shows no face, or cannot be read."""
    return _row(model, kind, _failed(error.reason), **circumstances)


def main_face(faces: Sequence[Face]) -> int:
    """Return the index of the largest face of a photo, which has at least one."""
    areas = [(x1 - x0) * (y1 - y0) for x0, y0, x1, y1 in (face.box for face in faces)]
    return areas.index(max(areas))


def measures_of(model: FaceModel, face: Face | None) -> Measures:
    """Return the measures of a face; none of a missing one."""
    if face is None:
        return Measures()
    pose, quality, reference = pose_of(face.landmarks), face.quality, model.reference
    measured: dict[str, float] = {} if quality is None else quality.to_dict()
    if pose is not None:
        measured |= vars(pose)
    if reference is not None and face.embedding is not None:
        measured["centroid_distance"] = reference.distance(face.embedding)
    return Measures(detector_probability=face.probability, **measured)


def _row(model: FaceModel, kind: Kind, decision: Decision, **values: Any) -> DecisionRow:
    named = {field.name: values.pop(field.name, None) for field in dataclasses.fields(Circumstances)}
    around = Circumstances(**named)
    moment = (around.time or datetime.now(UTC)).astimezone(UTC)
    site = around.site or (SITE if model.site is None else model.site.name)
    return DecisionRow(
        time=moment.isoformat(timespec="milliseconds"),
        model=model.digest,
        version=model.origin,
        site=site,
        kind=kind,
        decision=decision,
        latency=around.latency,
        **values,
    )


def _failed(reason: str) -> Decision:
    return "no face" if NO_FACE in reason else "rejected"
