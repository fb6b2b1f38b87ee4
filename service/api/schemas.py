"""The forms of requests and answers. Coordinates are pixels of the upright photo."""

from typing import Annotated, Any

from pydantic import BaseModel, Field

from facenet.results import Face, PhotoError
from service.api.uploads import PhotoBytes, Upload

Name = Annotated[str, Field(min_length=1, max_length=200, description="of a person, in any spelling")]
Photos = Annotated[list[PhotoBytes], Field(min_length=1, description="the bytes of photos' files")]
Prior = Annotated[float, Field(gt=0, lt=1, description="expected fraction of comparisons that match")]


class EmbedRequest(Upload):
    """Photos to embed. every: all faces of each photo instead of the one that the pipeline selects."""

    photos: Photos
    every: bool = False


class VerifyRequest(Upload):
    """Two photos to compare. far: target false accept rate; the default threshold without."""

    left: PhotoBytes
    right: PhotoBytes
    far: float | None = None
    prior: Prior = 0.5


class IdentifyRequest(Upload):
    """A photo whose faces are looked up. fpir: target rate of unknown people who are named."""

    photo: PhotoBytes
    fpir: float | None = None
    prior: Prior = 0.5


class EnrolRequest(Upload):
    """Photos of one person. keep: also store the photos themselves, not only their templates."""

    name: Name
    photos: Photos
    keep: bool = False


class QualityAnswer(BaseModel):
    """side: pixels. sharpness: variance of the Laplacian. brightness: mean grey value, 0 to 255."""

    side: float
    sharpness: float
    brightness: float


class FaceAnswer(BaseModel):
    """A face: box (x0, y0, x1, y1), five landmarks, the detector's probability, and its quality."""

    box: list[float]
    landmarks: list[list[float]] | None
    probability: float
    quality: QualityAnswer | None
    faces_found: int


class EmbeddedFace(FaceAnswer):
    """A face with its template: compare templates of one model digest, by the metric of /v1/model."""

    template: list[float] | None
    embedding: list[float] | None


class ErrorAnswer(BaseModel):
    """Why a photo could not be used."""

    reason: str
    message: str


class EmbeddedPhoto(BaseModel):
    """The faces of one photo, or why there are none."""

    faces: list[EmbeddedFace]
    error: ErrorAnswer | None


class EmbedAnswer(BaseModel):
    """One entry per photo, in the order of the request. model: the digest of the model that answered."""

    model: str
    photos: list[EmbeddedPhoto]


class VerifyAnswer(BaseModel):
    """Whether the two photos show one person; see facenet.results.Verification.

    site: name of the site calibration that decided; null: the evaluation of the model did.
    """

    model: str
    match: bool
    distance: float
    threshold: float
    probability: float
    supported: bool
    reason: str | None
    site: str | None
    left: FaceAnswer
    right: FaceAnswer


class CandidateAnswer(BaseModel):
    """An enrolled person, the distance to the nearest of their photos, and the probability of a match."""

    name: str
    distance: float
    probability: float


class IdentifiedFace(BaseModel):
    """A face and who it shows; see facenet.identification.Identification."""

    face: FaceAnswer
    name: str | None
    best: str | None
    distance: float | None
    probability: float | None
    threshold: float | None
    fpir: float | None
    supported: bool
    reason: str | None
    candidates: list[CandidateAnswer]


class IdentifyAnswer(BaseModel):
    """Every face of the photo, the most probable first. gallery_photos: compared with."""

    model: str
    gallery_photos: int
    faces: list[IdentifiedFace]


class PersonAnswer(BaseModel):
    """An enrolled person. photos: how many. first, last: when they were enrolled (ISO 8601, UTC)."""

    name: str
    photos: int
    first: str
    last: str


class PeopleAnswer(BaseModel):
    """A page of people by name. total: of all pages. next: parameter `after` of the next page."""

    people: list[PersonAnswer]
    total: int
    next: str | None


class EnrolledPhoto(BaseModel):
    """A photo of a person. by, at: who enrolled it and when. stored: whether its bytes were kept."""

    id: int
    sha256: str
    quality: QualityAnswer | None
    by: str
    at: str
    stored: bool


class PersonPhotosAnswer(PersonAnswer):
    """A person with the list of their photos."""

    photo_list: list[EnrolledPhoto]


class RejectedPhoto(ErrorAnswer):
    """A photo that was not enrolled; photo: its number in the request, from 0."""

    photo: int


class FindingAnswer(BaseModel):
    """What a check found in an enrolled photo; photo: its number in the request, from 0."""

    photo: int
    check: str
    message: str


class EnrolAnswer(BaseModel):
    """added, already: sha256 of photos that are new, and that the person had. rejected: those not used.

    findings: what the checks found in the others; with the setting checks = "strict" they refuse the request.
    """

    model: str
    person: PersonAnswer
    added: list[str]
    already: list[str]
    rejected: list[RejectedPhoto]
    findings: list[FindingAnswer]


class RemovalAnswer(BaseModel):
    """What was removed. gone: whether nobody of that name is left. remark: what still has to be erased."""

    person: str
    photos: int
    gone: bool
    remark: str


class ModelAnswer(BaseModel):
    """The model in use: card (model.json), and calibration (calibration.json; null if not evaluated).

    site: the site calibration whose thresholds and probability replace those of the calibration; null: none.
    """

    origin: str
    digest: str
    template_size: int
    card: dict[str, Any]
    calibration: dict[str, Any] | None
    site: dict[str, Any] | None


def face_answer(face: Face, *, vectors: bool = False) -> dict[str, Any]:
    """Return a face as in FaceAnswer, or as in EmbeddedFace with `vectors`."""
    found = face.to_dict(vectors=vectors)
    del found["fallback"]  # never: a photo without a face is an error here
    return found


def error_answer(error: PhotoError) -> dict[str, str]:
    """Return why a photo could not be used, as in ErrorAnswer."""
    return {"reason": error.reason, "message": error.message}


class ErrorBody(BaseModel):
    """reason: for programs. message: for people. request_id: as in the server's log."""

    reason: str
    message: str
    request_id: str


class ProblemAnswer(BaseModel):
    """The answer to a request that failed."""

    error: ErrorBody
