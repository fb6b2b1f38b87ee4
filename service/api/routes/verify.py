"""POST /v1/verify: whether two photos show the same person."""

from fastapi import APIRouter, Request
from starlette.responses import JSONResponse

from facenet.answers import Verifier
from facenet.errors import ParamsInvalid
from facenet.matching import Matcher
from facenet.results import SIDES, PhotoError, Verification
from service.api.access import requires
from service.api.batching import Answered
from service.api.context import Context, context_of
from service.api.decisions import Stopwatch
from service.api.photo_problems import photo_problem
from service.api.problems import Problem
from service.api.schemas import VerifyAnswer, VerifyRequest
from service.api.uploads import read_upload, request_body

router = APIRouter(prefix="/v1", tags=["faces"])


@router.post(
    "/verify",
    response_model=VerifyAnswer,
    dependencies=[requires("read")],
    openapi_extra=request_body(VerifyRequest),
)
async def verify(request: Request) -> JSONResponse:
    """Return whether two photos show the same person, with distance and calibrated probability."""
    context = context_of(request)
    asked = await read_upload(request, VerifyRequest, context.limits)
    answered, found = await verified(context, asked)
    answer = found.to_dict(vectors=False)
    del answer["error"]  # an error is a problem here
    for side in SIDES:
        del answer[side]["fallback"]
    return JSONResponse({"model": answered.model.digest, **answer})


async def verified(context: Context, asked: VerifyRequest) -> tuple[Answered, Verification]:
    """Return the faces of two photos, and the decision about them; two equal photos are embedded once.

    Raises:
        Problem: a photo cannot be used, the model was not evaluated, or has no threshold for `far`.
    """
    took = Stopwatch()
    photos = [asked.left] if asked.left == asked.right else [asked.left, asked.right]
    answered = await context.answered(photos, every=False)
    sides = [answered.faces[0], answered.faces[-1]]
    for side, found in zip(SIDES, sides, strict=True):
        if isinstance(found, PhotoError):
            context.decisions.failed(answered.model, found, "verify", took)
            raise photo_problem(found, f"{side} photo")
    (left,), (right,) = (found for found in sides if not isinstance(found, PhotoError))
    try:
        verifier = Verifier(matcher_of(answered), far=asked.far, prior=asked.prior)
        answer = verifier.answers([(left, right)])[0]
    except (ValueError, ParamsInvalid) as error:
        raise Problem(422, "invalid", str(error)) from error
    context.decisions.verified(answered.model, answer, took)
    return answered, answer


def matcher_of(answered: Answered) -> Matcher:
    """Return the calibration of the model that answered.

    Raises:
        Problem: 409, the model was not evaluated.
    """
    if answered.model.matcher is None:
        raise Problem(409, "not_evaluated", "The model in use was not evaluated, so it cannot decide.")
    return answered.model.matcher
