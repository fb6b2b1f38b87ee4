"""The page on monitoring: what the last days looked like, and the distributions of the newest."""

import logging

from fastapi import APIRouter, Request
from markupsafe import Markup
from starlette.responses import Response

from facenet.errors import StorageFailed
from service.api.access import requires
from service.api.context import context_of
from service.api.json_log import FIELDS
from service.pages.rendering import render
from tasks.monitoring.plot import histograms_svg

router = APIRouter(include_in_schema=False)
DAYS = 30
LOG = logging.getLogger("facenet.service")
FAILED = "The decision log cannot be read; the server's log says why."


@router.get("/monitoring", dependencies=[requires("read")])
def monitoring(request: Request) -> Response:
    """Show the days that `facenet monitor` or the monitoring flow has checked."""
    try:
        reports = context_of(request).decisions.reports(DAYS)
    except StorageFailed as error:  # its message names files of the server
        LOG.exception("decision log not read", extra={FIELDS: {"message": str(error)}})
        return render(request, "monitoring", status=503, error=FAILED)
    newest = reports[0]["sites"] if reports else {}
    plots = {
        site: Markup(histograms_svg(found["histograms"]))  # noqa: S704  # made of numbers and our own names
        for site, found in newest.items()
        if found["histograms"]
    }
    return render(request, "monitoring", reports=reports, plots=plots)
