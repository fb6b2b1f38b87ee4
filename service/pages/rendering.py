"""Templates, and the headers that keep a page from loading anything from elsewhere."""

from pathlib import Path
from typing import Any

from fastapi import Request
from fastapi.templating import Jinja2Templates
from starlette.responses import Response

FOLDER = Path(__file__).parent
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
TEMPLATES = Jinja2Templates(FOLDER / "templates")


def render(request: Request, name: str, *, status: int = 200, **values: Any) -> Response:
    """Return the page of a template; names and all other values are escaped."""
    headers = {"Content-Security-Policy": POLICY}
    return TEMPLATES.TemplateResponse(
        request, f"{name}.html", {"page": name, **values}, status_code=status, headers=headers
    )
