"""The gallery of the model in use, opened when it is first needed."""

import logging
import threading
from pathlib import Path

from fastapi import FastAPI, Request
from starlette.responses import JSONResponse

from facenet.face_model import FaceModel
from service.api.json_log import FIELDS
from service.api.problems import Problem, problem_response, request_id_of
from service.gallery import Gallery
from service.gallery.errors import (
    EnrolmentInvalid,
    EnrolmentRefused,
    ErasureIncomplete,
    GalleryError,
    ModelDiffers,
    NameInvalid,
    NameTaken,
    PersonUnknown,
    PhotoUnknown,
)

LOG = logging.getLogger("facenet.service")
OTHER_MODEL = (
    "The people were enrolled with another model than the one in use. Run `facenet gallery migrate` on the "
    "server, or serve the other model."
)
NOT_ERASED = (
    "It is removed, but the bytes are not erased yet: others were reading. The next removal, or the next "
    "command on the gallery, erases them."
)
# status, reason and message; None: that of the error. The others would name files of the server.
PROBLEMS: dict[type[GalleryError], tuple[int, str, str | None]] = {
    NameInvalid: (422, "invalid_name", None),
    EnrolmentInvalid: (422, "invalid_enrolment", None),
    EnrolmentRefused: (422, "refused", None),
    NameTaken: (409, "name_taken", None),
    PersonUnknown: (404, "unknown_person", "Nobody of that name is enrolled."),
    PhotoUnknown: (404, "unknown_photo", "There is no such photo, or its bytes were not stored."),
    ModelDiffers: (
        409,
        "other_model",
        OTHER_MODEL,
    ),
    ErasureIncomplete: (
        503,
        "not_erased",
        NOT_ERASED,
    ),
}
STORE_FAILED = (503, "gallery_failed", "The gallery cannot be used; the server's log says why.")


def add_gallery_handler(app: FastAPI) -> None:
    """Answer what the gallery refuses."""
    app.add_exception_handler(GalleryError, _answer)


def gallery_problem(error: GalleryError) -> Problem:
    """Return the answer to a request that the gallery refused."""
    status, reason, message = PROBLEMS.get(type(error), STORE_FAILED)
    return Problem(status, reason, message or str(error))


async def _answer(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, GalleryError)
    problem = gallery_problem(error)
    if type(error) not in PROBLEMS:  # of the database, without names
        LOG.error("gallery failed", extra={FIELDS: {"message": str(error)}})
    return problem_response(problem, request_id_of(request.scope))


class Galleries:
    """Opens the gallery for a model, again when the model has changed.

    Args:
        place: path or URL; None: that of FACENET_GALLERY.
    """

    def __init__(self, place: str | Path | None) -> None:
        self._place = place
        self._lock = threading.Lock()
        self._gallery: Gallery | None = None
        self._digest = ""  # of the model that it is open for

    def gallery(self, model: FaceModel) -> Gallery:
        """Return the gallery with templates of this model.

        Raises:
            Problem: 409 if the templates are of another model, or the model was not evaluated.
            StoreFailed: the database cannot be used.
        """
        if model.matcher is None:
            raise Problem(409, "not_evaluated", "The model in use was not evaluated, so it cannot identify.")
        with self._lock:
            if self._gallery is None or self._digest != model.digest:
                self._gallery = Gallery.open(
                    self._place, model_digest=model.digest, template_size=model.template_size
                )
                self._digest = model.digest
            return self._gallery

    def close(self) -> None:
        """Close the gallery."""
        with self._lock:
            if self._gallery is not None:
                self._gallery.close()
                self._gallery = None
