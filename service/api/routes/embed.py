"""POST /v1/embed: the faces of photos with their templates."""

from typing import Any

from fastapi import APIRouter, Request
from starlette.concurrency import run_in_threadpool
from starlette.responses import JSONResponse

from facenet.results import PhotoError
from service.api.access import requires
from service.api.batching import Answered
from service.api.context import context_of
from service.api.decisions import Stopwatch
from service.api.photo_problems import photo_problem
from service.api.schemas import EmbedAnswer, EmbedRequest, error_answer, face_answer
from service.api.uploads import read_upload, request_body

router = APIRouter(prefix="/v1", tags=["faces"])


@router.post(
    "/embed",
    response_model=EmbedAnswer,
    dependencies=[requires("read")],
    openapi_extra=request_body(EmbedRequest),
)
async def embed(request: Request) -> JSONResponse:
    """Return the selected face of each photo, or every face, with template, embedding and quality.

    A photo that cannot be used has an error in its entry; if none can, the request has the first error.
    """
    context = context_of(request)
    asked = await read_upload(request, EmbedRequest, context.limits)
    took = Stopwatch()
    answered = await context.answered(asked.photos, every=asked.every)
    context.decisions.embedded(answered.model, answered.faces, took)
    errors = [found for found in answered.faces if isinstance(found, PhotoError)]
    if len(errors) == len(answered.faces):
        raise photo_problem(errors[0], "photo 0")
    return await run_in_threadpool(_response, answered)


def _response(answered: Answered) -> JSONResponse:
    photos: list[dict[str, Any]] = []
    for found in answered.faces:
        if isinstance(found, PhotoError):
            photos.append({"faces": [], "error": error_answer(found)})
        else:
            photos.append({"faces": [face_answer(face, vectors=True) for face in found], "error": None})
    return JSONResponse({"model": answered.model.digest, "photos": photos})
