"""GET /v1/model: the model in use."""

import dataclasses

from fastapi import APIRouter, Request
from starlette.responses import JSONResponse

from service.api.access import requires
from service.api.context import context_of
from service.api.schemas import ModelAnswer

router = APIRouter(prefix="/v1", tags=["model"])


@router.get("/model", response_model=ModelAnswer, dependencies=[requires("read")])
async def model(request: Request) -> JSONResponse:
    """Return card, calibrations and digests of the model in use."""
    found = context_of(request).models.model()
    calibration, site = (
        None if part is None else dataclasses.asdict(part) for part in (found.evaluation, found.site)
    )
    return JSONResponse(
        {
            "origin": found.origin,
            "digest": found.digest,
            "template_size": found.template_size,
            "card": dataclasses.asdict(found.card),
            "calibration": calibration,
            "site": site,
        }
    )
