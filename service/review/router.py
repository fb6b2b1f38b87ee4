"""The page, the faces on it, and the decisions that it sends."""

from typing import Annotated, Any
from urllib.parse import urlencode

from fastapi import APIRouter, Form, Query, Request
from starlette.responses import RedirectResponse, Response

from facenet.errors import FaceNetError
from service.api.problems import Problem
from service.review.cards import SHOWN, card_of, page_number, page_of
from service.review.rendering import render
from service.review.reviewing import Review, State
from service.review.standing import OPEN

router = APIRouter(include_in_schema=False)
DATALIST = 5000  # identities that a field suggests; more would make the page slow
Key = Annotated[str, Form(max_length=64)]
Text = Annotated[str, Form(max_length=1000)]
Show = Annotated[str, Query(max_length=20)]


@router.get("/")
def suspects(
    request: Request, page: Annotated[int, Query(ge=1, le=10**9)] = 1, show: Show = OPEN
) -> Response:
    """Show a page of suspects."""
    return _page(request, page, show)


@router.post("/decide")
def decide(
    request: Request,
    key: Key,
    action: Key,
    target: Text = "",
    page: Annotated[int, Form()] = 1,
    show: Annotated[str, Form(max_length=20)] = OPEN,
) -> Response:
    """Write a decision, and return the row and the progress; without scripts, the page."""
    review, scripted = review_of(request), "hx-request" in request.headers
    try:
        state = review.decide(key, action, target)
    except FaceNetError as error:
        if not scripted:
            return _page(request, page, show, status=409, error=str(error))
        return _row(request, key, page, show, error=str(error))
    if scripted:
        return _row(request, key, page, show, state=state)
    return _to(f"/?{urlencode({'page': page, 'show': show})}")


@router.post("/undo")
def undo(request: Request, key: Key, show: Annotated[str, Form(max_length=20)] = OPEN) -> Response:
    """Take back the reviewer's decision about a suspect, and show the page that it is on."""
    try:
        state = review_of(request).undo(key)
    except FaceNetError as error:
        return _page(request, 1, show, status=409, error=str(error))
    shown = show if show == OPEN else "all"
    return _to(f"/?{urlencode({'page': page_number(state, key, shown), 'show': shown})}#s-{key}")


@router.get("/face/{digest}")
def face(request: Request, digest: str) -> Response:
    """Return the aligned face of a photo, which no browser or proxy stores."""
    try:
        found = review_of(request).faces().face(digest)
    except FaceNetError as error:
        raise Problem(503, "unavailable", str(error)) from error
    if found is None:
        raise Problem(404, "not_found", "No face of this photo is stored.")
    headers = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}
    return Response(found, media_type=_media_type(found), headers=headers)


def review_of(request: Request) -> Review:
    """Return the review that the app is for."""
    review: Review = request.app.state.review
    return review


def _page(request: Request, number: int, show: str, *, status: int = 200, error: str = "") -> Response:
    review = review_of(request)
    try:
        state = review.state()
    except FaceNetError as broken:
        return render(request, "unavailable", status=503, error=str(broken))
    shown = page_of(state, review.who, show=show if show in SHOWN else OPEN, number=number)
    names = sorted(state.names.all)
    people = names if len(names) <= DATALIST else []
    values = _common(state, review)
    return render(request, "review", status=status, page=shown, people=people, error=error, **values)


def _row(
    request: Request, key: str, number: int, show: str, *, state: State | None = None, error: str = ""
) -> Response:
    review, status = review_of(request), 409 if error else 200
    try:
        state = state or review.state()
    except FaceNetError as broken:
        return render(request, "lost", status=503, key=key, error=str(broken))
    if key not in state.suspects:
        return render(request, "lost", status=404, key=key, error=error)
    values = _common(state, review) | {"page": {"number": number, "show": show}, "error": error}
    return render(request, "row", status=status, card=card_of(state, key, review.who), **values)


def _common(state: State, review: Review) -> dict[str, Any]:
    last = state.last_of(review.who)
    return {"progress": state.progress, "who": review.who, "last": last, "shown": SHOWN, "faces": state.faces}


def _to(place: str) -> Response:
    return RedirectResponse(place, 303)


def _media_type(image: bytes) -> str:
    return {b"RIFF": "image/webp", b"\x89PNG": "image/png"}.get(image[:4], "image/jpeg")
