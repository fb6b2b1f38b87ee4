"""/v1/people: enrol, list and remove people."""

import dataclasses
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from starlette.concurrency import run_in_threadpool
from starlette.responses import JSONResponse

from facenet.results import PhotoError
from service.api.access import requires
from service.api.batching import Answered
from service.api.context import Context, context_of
from service.api.photo_problems import photo_problem
from service.api.schemas import (
    EnrolAnswer,
    EnrolRequest,
    PeopleAnswer,
    PersonPhotosAnswer,
    RemovalAnswer,
    error_answer,
)
from service.api.uploads import read_upload, request_body
from service.gallery import Gallery, Person
from service.gallery.enrolling import UNUSABLE, enrol_faces

router = APIRouter(prefix="/v1", tags=["people"])
PAGE = 100
Text = Annotated[str | None, Query(max_length=400)]


@router.get("/people", response_model=PeopleAnswer, dependencies=[requires("read")])
def people(
    request: Request,
    after: Text = None,
    search: Annotated[str, Query(max_length=200)] = "",
    limit: Annotated[int, Query(ge=1, le=1000)] = PAGE,
) -> JSONResponse:
    """Return a page of people in the order of their names; search: a part of a name."""
    page = _gallery(context_of(request)).people(after=after, limit=limit, search=search)
    listed = [person_answer(person) for person in page.people]
    return JSONResponse({"people": listed, "total": page.total, "next": page.next})


@router.post("/people", response_model=EnrolAnswer, status_code=201, openapi_extra=request_body(EnrolRequest))
async def enrol(request: Request, user: str = requires("enrol")) -> JSONResponse:
    """Enrol photos of a person, who is new or enrolled already under that name."""
    context = context_of(request)
    asked = await read_upload(request, EnrolRequest, context.limits)
    return JSONResponse(await enrolled(context, asked, user), status_code=201)


@router.get("/people/{name:path}", response_model=PersonPhotosAnswer, dependencies=[requires("read")])
def person(request: Request, name: str) -> JSONResponse:
    """Return a person with the list of their photos."""
    found, photos = _gallery(context_of(request)).person(name)
    return JSONResponse(
        {**person_answer(found), "photo_list": [dataclasses.asdict(photo) for photo in photos]}
    )


@router.delete("/people/{name:path}", response_model=RemovalAnswer, dependencies=[requires("admin")])
def remove(
    request: Request, name: str, photo: Annotated[str | None, Query(max_length=64)] = None
) -> JSONResponse:
    """Remove a person, or one photo of theirs by its sha256, and erase every byte of it from the store."""
    gallery = _gallery(context_of(request))
    removal = gallery.remove(name) if photo is None else gallery.remove_photo(name, photo)
    return JSONResponse(dataclasses.asdict(removal))


def person_answer(person: Person) -> dict[str, Any]:
    """Return a person as in PersonAnswer."""
    return {"name": person.name, "photos": person.photos, "first": person.first, "last": person.last}


def _gallery(context: Context) -> Gallery:
    return context.galleries.gallery(context.models.model())


async def enrolled(context: Context, asked: EnrolRequest, user: str) -> dict[str, Any]:
    """Enrol the selected faces of photos, and return the content of EnrolAnswer.

    Raises:
        Problem: no photo can be used, or the model was not evaluated.
        GalleryError: the gallery refuses the photos, or cannot be used.
    """
    answered = await context.answered(asked.photos, every=False)
    return await run_in_threadpool(_enrolled, context, asked, answered, user)


def _enrolled(context: Context, asked: EnrolRequest, answered: Answered, user: str) -> dict[str, Any]:
    selected = [found if isinstance(found, PhotoError) else found[0] for found in answered.faces]
    rejected = [
        {"photo": number, **error_answer(face)}
        for number, face in enumerate(selected)
        if isinstance(face, PhotoError)
    ]
    if len(rejected) == len(selected):
        assert isinstance(selected[0], PhotoError)
        raise photo_problem(selected[0], "photo 0")
    model, gallery = answered.model, context.galleries.gallery(answered.model)
    assert model.matcher is not None  # or there would be no gallery
    outcome = enrol_faces(
        gallery,
        asked.name,
        asked.photos,
        selected,
        by=user,
        matcher=model.matcher,
        settings=gallery.settings,
        keep=asked.keep,
    )
    return {
        "model": model.digest,
        "person": person_answer(outcome.enrolled.person),
        "added": list(outcome.enrolled.added),
        "already": list(outcome.enrolled.already),
        "rejected": rejected,
        "findings": [dataclasses.asdict(f) for f in outcome.findings if f.check not in UNUSABLE],
    }
