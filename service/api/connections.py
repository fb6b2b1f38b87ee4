"""Bounds on connections, below HTTP: how many, and how long one may take to send a request."""

import asyncio
import json

from uvicorn.protocols.http.h11_impl import H11Protocol

from service.api.settings import Limits

_BODY = json.dumps(
    {"error": {"reason": "busy", "message": "Too many connections. Connect again later.", "request_id": ""}},
    allow_nan=False,
)
REFUSAL = (
    "HTTP/1.1 429 Too Many Requests\r\ncontent-type: application/json\r\nretry-after: 1\r\n"
    f"connection: close\r\ncontent-length: {len(_BODY)}\r\n\r\n{_BODY}"
).encode()


class BoundedConnection(H11Protocol):
    """A connection of uvicorn that counts: one too many is answered with 429 and closed, a silent one closed.

    Without it, connections that never send a request keep their memory and file descriptors.
    """

    limits = Limits()
    _timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Accept or refuse a new connection."""
        super().connection_made(transport)
        if len(self.connections) > self.limits.connections:
            transport.write(REFUSAL)
            transport.close()
            return
        self._await_headers()

    def data_received(self, data: bytes) -> None:
        """Take bytes of a request."""
        if self.transport.is_closing():
            return
        super().data_received(data)
        if self.cycle is not None and not self.cycle.response_complete:
            self._stop_waiting()
        elif self._timer is None:  # the first bytes of another request
            self._await_headers()

    def on_response_complete(self) -> None:
        """Wait for the next request; uvicorn closes the connection if none begins."""
        self._stop_waiting()
        super().on_response_complete()

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget the connection."""
        self._stop_waiting()
        super().connection_lost(exc)

    def _await_headers(self) -> None:
        self._timer = self.loop.call_later(self.limits.header_seconds, self._close)

    def _stop_waiting(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _close(self) -> None:
        self._timer = None
        self.transport.close()


def bounded_connection(limits: Limits) -> type[BoundedConnection]:
    """Return the class of connections with these limits, for uvicorn's `http`."""
    return type("BoundedConnection", (BoundedConnection,), {"limits": limits})
