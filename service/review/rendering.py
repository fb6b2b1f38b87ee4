"""The templates of the review, with the headers of the other pages."""

from pathlib import Path
from typing import Any

from fastapi import Request
from fastapi.templating import Jinja2Templates
from starlette.responses import Response

from service.pages.rendering import POLICY

FOLDER = Path(__file__).parent
TEMPLATES = Jinja2Templates(FOLDER / "templates")
HEADERS = {"Content-Security-Policy": POLICY, "Cache-Control": "no-store"}


def render(request: Request, name: str, *, status: int = 200, **values: Any) -> Response:
    """Return the page of a template; names and all other values are escaped."""
    return TEMPLATES.TemplateResponse(request, f"{name}.html", values, status_code=status, headers=HEADERS)
