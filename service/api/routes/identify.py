"""POST /v1/identify: who the faces of a photo show."""

from typing import Any

from fastapi import APIRouter, Request
from starlette.concurrency import run_in_threadpool
from starlette.responses import JSONResponse

from facenet.errors import ParamsInvalid
from facenet.identification.identifier import Identification
from facenet.results import Face, PhotoError
from service.api.access import requires
from service.api.batching import Answered
from service.api.context import Context, context_of
from service.api.decisions import Stopwatch
from service.api.photo_problems import photo_problem
from service.api.problems import Problem
from service.api.routes.verify import matcher_of
from service.api.schemas import IdentifyAnswer, IdentifyRequest, face_answer
from service.api.uploads import read_upload, request_body
from service.recognition import recognise

router = APIRouter(prefix="/v1", tags=["faces"])


@router.post(
    "/identify",
    response_model=IdentifyAnswer,
    dependencies=[requires("read")],
    openapi_extra=request_body(IdentifyRequest),
)
async def identify(request: Request) -> JSONResponse:
    """Return for every face of a photo which enrolled person it shows, or none."""
    context = context_of(request)
    asked = await read_upload(request, IdentifyRequest, context.limits)
    answered, faces, found = await identified(context, asked)
    photos = found[0].photos if found else 0
    listed = [_face(face, entry) for face, entry in zip(faces, found, strict=True)]
    return JSONResponse({"model": answered.model.digest, "gallery_photos": photos, "faces": listed})


async def identified(
    context: Context, asked: IdentifyRequest
) -> tuple[Answered, list[Face], list[Identification]]:
    """Return what the model answered, the faces of the photo, and who each of them shows.

    Raises:
        Problem: the photo cannot be used, the model was not evaluated, or has no threshold for `fpir`.
        GalleryError: the gallery cannot be used with this model.
    """
    took = Stopwatch()
    answered = await context.answered([asked.photo], every=True)
    (faces,) = answered.faces
    if isinstance(faces, PhotoError):
        context.decisions.failed(answered.model, faces, "identify", took)
        raise photo_problem(faces, "photo")
    found = await run_in_threadpool(_recognised, context, answered, faces, asked)
    context.decisions.identified(answered.model, faces, found, took)
    return answered, faces, found


def _recognised(
    context: Context, answered: Answered, faces: list[Face], asked: IdentifyRequest
) -> list[Identification]:
    matcher, gallery = matcher_of(answered), context.galleries.gallery(answered.model)
    try:
        return recognise(gallery, matcher, faces, fpir=asked.fpir, prior=asked.prior)
    except (ValueError, ParamsInvalid) as error:
        raise Problem(422, "invalid", str(error)) from error


def _face(face: Face, found: Identification) -> dict[str, Any]:
    answer = found.to_dict()
    del answer["photos"]  # one number for all faces
    return {"face": face_answer(face), **answer}
