"""An id, a log line and metrics for every request; unexpected errors become a 500 without details."""

import logging
import secrets
import time

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from service.api.json_log import FIELDS, described
from service.api.metrics import Metrics
from service.api.problems import Problem, problem_response

LOG = logging.getLogger("facenet.service")
UNMATCHED = "unmatched"  # instead of a path that no route has: clients choose it
METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
SECURE = {
    b"x-content-type-options": b"nosniff",
    b"cache-control": b"no-store",
    b"referrer-policy": b"no-referrer",
    b"content-security-policy": b"default-src 'none'; frame-ancestors 'none'",
}


class RequestLog:
    """ASGI middleware, the outermost.

    It logs method, route template, status, time and sizes: neither path, query, headers nor body, so that no
    photo, embedding, name or token can reach the log.
    """

    def __init__(self, app: ASGIApp, *, metrics: Metrics) -> None:
        self._app, self._metrics = app, metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        await _Request(scope, self._metrics).answer(self._app, receive, send)


class _Request:
    def __init__(self, scope: Scope, metrics: Metrics) -> None:
        self._scope, self._metrics = scope, metrics
        self._id = secrets.token_hex(8)
        scope.setdefault("state", {})["request_id"] = self._id
        self._status, self._received, self._sent = 0, 0, 0
        self._error: dict[str, object] = {}

    async def answer(self, app: ASGIApp, receive: Receive, send: Send) -> None:
        started = time.perf_counter()
        self._metrics.in_flight.inc()

        async def counted() -> Message:
            message = await receive()
            self._received += len(message.get("body", b""))
            return message

        async def sent(message: Message) -> None:
            await send(self._with_headers(message))

        try:
            await app(self._scope, counted, sent)
        except Exception as error:  # noqa: BLE001  # the last resort: the client gets a 500, the log the place
            self._error = described(error)
            if not self._status:
                message = "The server failed. Its log has the place, under the request id."
                response = problem_response(Problem(500, "internal", message), self._id)
                await response(self._scope, counted, sent)
        finally:
            self._metrics.in_flight.dec()
            self._record(time.perf_counter() - started)

    def _with_headers(self, message: Message) -> Message:
        if message["type"] == "http.response.start":
            self._status = message["status"]
            headers = list(message.get("headers", []))
            present = {name.lower() for name, _ in headers}
            headers += [(name, value) for name, value in SECURE.items() if name not in present]
            headers.append((b"x-request-id", self._id.encode()))
            return {**message, "headers": headers}
        self._sent += len(message.get("body", b""))
        return message

    def _record(self, seconds: float) -> None:
        method = self._scope["method"] if self._scope["method"] in METHODS else "other"
        route = getattr(self._scope.get("route"), "path", UNMATCHED)
        self._metrics.requests.labels(method, route, str(self._status)).inc()
        self._metrics.seconds.labels(route).observe(seconds)
        fields = {
            "request_id": self._id,
            "method": method,
            "route": route,
            "status": self._status,
            "milliseconds": round(seconds * 1000, 1),
            "bytes_received": self._received,
            "bytes_sent": self._sent,
            **self._error,
        }
        level = logging.ERROR if self._error else logging.INFO
        LOG.log(level, "request", extra={FIELDS: fields})
