"""A bound on requests at once."""

from starlette.types import ASGIApp, Receive, Scope, Send

from service.api.metrics import Metrics
from service.api.problems import busy, problem_response, request_id_of

ALWAYS = ("/healthz", "/readyz", "/metrics")  # a busy server is still alive


class Admission:
    """ASGI middleware that answers 429 while `requests` others are being answered or wait."""

    def __init__(self, app: ASGIApp, *, requests: int, metrics: Metrics) -> None:
        self._app, self._free, self._metrics = app, requests, metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http" or scope["path"] in ALWAYS:
            await self._app(scope, receive, send)
            return
        if self._free <= 0:
            self._metrics.refused.labels("requests").inc()
            problem = busy("busy", "Too many requests at once. Send the request again later.")
            await problem_response(problem, request_id_of(scope))(scope, receive, send)
            return
        self._free -= 1
        try:
            await self._app(scope, receive, send)
        finally:
            self._free += 1
