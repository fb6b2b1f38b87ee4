"""The report of the model in use, as its evaluation left it."""

import asyncio
from concurrent.futures import ThreadPoolExecutor
from threading import BoundedSemaphore

from fastapi import APIRouter, Request
from starlette.responses import HTMLResponse, Response

from facenet.face_model import FaceModel
from service.api.context import context_of
from service.api.problems import Problem, busy
from service.pages.rendering import render
from service.pages.report_links import without_neighbours
from service.pages.report_policy import report_policy
from service.pages.report_source import find_report

router = APIRouter(include_in_schema=False)
SECONDS = 60.0  # MLflow's client gives up after half of it, unless the registry accepts and then is silent
AT_ONCE = 2
# Threads of their own: a silent registry must not hold up those that answer other requests.
THREADS = ThreadPoolExecutor(AT_ONCE, thread_name_prefix="report")
FREE = BoundedSemaphore(AT_ONCE)


@router.get("/model/report")
async def report(request: Request) -> Response:
    """Show the report of the model in use; it has photos of the evaluated people, so only admins see it."""
    context = context_of(request)
    try:
        context.access.user(request.headers, "admin")
        text, policy = await _fetched(context.models.model())
    except Problem as problem:
        if problem.status == 401:  # a browser is sent to the login
            raise
        return render(request, "report", status=problem.status, page="model", error=problem.message)
    return HTMLResponse(text, headers={"Content-Security-Policy": policy})


async def _fetched(model: FaceModel) -> tuple[str, str]:
    """Return the report of a model and its content security policy, from one of a few threads.

    Raises:
        Problem: 429 if all threads are busy, 504 after SECONDS, and those of `find_report`.
    """
    if not FREE.acquire(blocking=False):
        raise busy("too_many_reports", f"{AT_ONCE} reports are being fetched already. Try again.")
    future = THREADS.submit(_found, model)
    future.add_done_callback(lambda _: FREE.release())
    try:
        return await asyncio.wait_for(asyncio.wrap_future(future), SECONDS)
    except TimeoutError:
        message = f"The registry has not sent the report within {SECONDS:g} s."
        raise Problem(504, "registry_unavailable", message) from None


def _found(model: FaceModel) -> tuple[str, str]:
    text = without_neighbours(find_report(model))
    return text, report_policy(text)
