"""The pages: verify, identify, people, and the model."""

from typing import Annotated, Any

from fastapi import APIRouter, FastAPI, Form, Query, Request
from starlette.concurrency import run_in_threadpool
from starlette.responses import RedirectResponse, Response
from starlette.staticfiles import StaticFiles

from facenet.results import Face
from service.api.access import requires
from service.api.context import Context, context_of
from service.api.galleries import gallery_problem
from service.api.problems import Problem
from service.api.routes.identify import identified
from service.api.routes.people import enrolled
from service.api.routes.verify import matcher_of, verified
from service.api.schemas import EnrolRequest, IdentifyRequest, VerifyRequest
from service.api.uploads import read_upload
from service.gallery import Gallery
from service.gallery.errors import GalleryError
from service.pages import monitoring, report, session
from service.pages.chart import chart_of
from service.pages.photo_view import photo_view
from service.pages.rendering import FOLDER, render

router = APIRouter(include_in_schema=False)
READ = requires("read")


def add_pages(app: FastAPI) -> None:
    """Add the pages, and what they load, to an app."""
    app.include_router(session.router)
    app.include_router(report.router)
    app.include_router(router)
    app.include_router(monitoring.router)
    app.mount("/static", StaticFiles(directory=FOLDER / "static"), name="static")


@router.get("/", dependencies=[READ])
def verify_form(request: Request) -> Response:
    """Show the form for two photos."""
    return render(request, "verify")


@router.post("/", dependencies=[READ])
async def verify(request: Request) -> Response:
    """Compare two photos, and show them with their faces and the decision."""
    context = context_of(request)
    try:
        asked = await read_upload(request, VerifyRequest, context.limits)
        answered, found = await verified(context, asked)
    except Problem as problem:
        return render(request, "verify", status=problem.status, error=problem.message)
    assert found.distance is not None
    values: dict[str, Any] = {
        "found": found,
        "chart": chart_of(matcher_of(answered), found.threshold, found.distance),
        "left": await _shown(context, asked.left, found.left),
        "right": await _shown(context, asked.right, found.right),
    }
    return render(request, "verify", **values)


@router.get("/identify", dependencies=[READ])
def identify_form(request: Request) -> Response:
    """Show the form for one photo."""
    return render(request, "identify")


@router.post("/identify", dependencies=[READ])
async def identify(request: Request) -> Response:
    """Look up every face of a photo, and show who it is."""
    context = context_of(request)
    try:
        asked = await read_upload(request, IdentifyRequest, context.limits)
        _, faces, found = await identified(context, asked)
    except (Problem, GalleryError) as error:
        return _failed(request, "identify", error)
    shown = await _shown(context, asked.photo, *faces)
    return render(request, "identify", shown=shown, found=found)


@router.get("/people", dependencies=[READ])
def people(
    request: Request, after: str | None = None, search: Annotated[str, Query(max_length=200)] = ""
) -> Response:
    """Show who is enrolled, and the form to enrol."""
    return _people(request, after=after, search=search)


@router.post("/people")
async def enrol(request: Request, user: str = requires("enrol")) -> Response:
    """Enrol photos of a person."""
    context = context_of(request)
    try:
        asked = await read_upload(request, EnrolRequest, context.limits)
        answer = await enrolled(context, asked, user)
    except (Problem, GalleryError) as error:
        problem = error if isinstance(error, Problem) else gallery_problem(error)
        return await run_in_threadpool(_people, request, status=problem.status, error=problem.message)
    return await run_in_threadpool(_people, request, answer=answer)


@router.get("/person", dependencies=[READ])
def person(request: Request, name: Annotated[str, Query(max_length=200)]) -> Response:
    """Show a person's photos by digest and quality, and the button to remove them."""
    try:
        found, photos = _gallery(context_of(request)).person(name)
    except (Problem, GalleryError) as error:
        return _failed(request, "person", error)
    return render(request, "person", person=found, photos=photos)


@router.post("/person/remove", dependencies=[requires("admin")])
def remove(request: Request, name: Annotated[str, Form(max_length=200)]) -> Response:
    """Remove a person, and return to the list."""
    try:
        _gallery(context_of(request)).remove(name)
    except (Problem, GalleryError) as error:
        return _failed(request, "person", error)
    return RedirectResponse("/people", 303)


@router.get("/model", dependencies=[READ])
def model(request: Request) -> Response:
    """Show the card and the calibration of the model in use."""
    try:
        found = context_of(request).models.model()
        chart = chart_of(found.matcher, found.matcher.threshold) if found.matcher else None
        return render(request, "model", model=found, chart=chart)
    except Problem as problem:
        return _failed(request, "model", problem)


def _people(
    request: Request, *, status: int = 200, after: str | None = None, search: str = "", **values: Any
) -> Response:
    try:
        listed = _gallery(context_of(request)).people(after=after, search=search)
    except (Problem, GalleryError) as error:
        return _failed(request, "people", error)
    return render(request, "people", status=status, listed=listed, search=search, **values)


def _failed(request: Request, name: str, error: Problem | GalleryError) -> Response:
    problem = error if isinstance(error, Problem) else gallery_problem(error)
    return render(request, name, status=problem.status, error=problem.message)


def _gallery(context: Context) -> Gallery:
    return context.galleries.gallery(context.models.model())


async def _shown(context: Context, photo: bytes, *faces: Face | None) -> dict[str, Any]:
    """Return a photo and the boxes (x, y, width, height) of its faces."""
    view = await run_in_threadpool(photo_view, photo, max_pixels=context.limits.pixels)
    boxes = [face.box for face in faces if face is not None]
    return {"view": view, "boxes": [(x0, y0, x1 - x0, y1 - y0) for x0, y0, x1, y1 in boxes]}
