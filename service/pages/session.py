"""Signing in with a token, where the server requires one: the browser keeps it in a cookie."""

from typing import Annotated

from fastapi import APIRouter, Form, Request
from starlette.responses import RedirectResponse, Response

from service.api.access import COOKIE
from service.api.context import context_of
from service.api.problems import Problem
from service.pages.rendering import render

router = APIRouter(include_in_schema=False)
DAY = 24 * 3600


@router.get("/login")
def login(request: Request) -> Response:
    """Ask for a token."""
    return render(request, "login", error=None)


@router.post("/login")
def signed_in(request: Request, token: Annotated[str, Form(max_length=200)]) -> Response:
    """Keep a valid token for a day, in a cookie that scripts and other sites cannot use."""
    try:
        context_of(request).access.user({"authorization": f"Bearer {token.strip()}"}, "read")
    except Problem as problem:
        return render(request, "login", status=problem.status, error=problem.message)
    response = RedirectResponse("/", 303)
    response.set_cookie(COOKIE, token.strip(), max_age=DAY, httponly=True, samesite="strict")
    return response


@router.post("/logout")
def logout() -> Response:
    """Forget the token."""
    response = RedirectResponse("/login", 303)
    response.delete_cookie(COOKIE)
    return response
