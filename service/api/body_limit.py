"""Bounds on what is read of a request: bytes, bytes of all requests together, and time."""

import asyncio
import time
from contextlib import suppress

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from service.api.problems import Problem, busy, problem_response, request_id_of
from service.api.settings import Limits

DISCARD_SECONDS = 2.0  # a client that still sends would miss the answer if the connection closed at once


class BodyLimit:
    """ASGI middleware that counts bytes while they arrive, with or without a Content-Length.

    A body that is too large, slow or one too many makes `receive` raise a Problem; what is left of it is then
    read and dropped for a moment, and the connection closed.
    """

    def __init__(self, app: ASGIApp, *, limits: Limits) -> None:
        self._app, self._limits = app, limits
        self._held = 0  # bytes of all bodies

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        if problem := self._declared(scope):
            closing = _Closing(receive, send)
            await problem_response(problem, request_id_of(scope))(scope, receive, closing.send)
            return
        body = _Body(self, self._limits, receive, send)
        try:
            await self._app(scope, body.receive, body.send)
        finally:
            self._held -= body.size

    def hold(self, count: int) -> None:
        """Add to the bytes in memory; raise Problem if they are too many."""
        if self._held + count > self._limits.bodies:
            raise busy("busy", "Too many bytes are being received. Send the request again later.")
        self._held += count

    def _declared(self, scope: Scope) -> Problem | None:
        """Return the problem with a Content-Length, before anything is read."""
        declared = next((value for name, value in scope["headers"] if name == b"content-length"), b"0")
        return too_large(self._limits) if int(declared) > self._limits.body else None


def too_large(limits: Limits) -> Problem:
    """Return the answer to a body over the limit."""
    return Problem(413, "too_large", f"The body has more than {limits.body} bytes.")


class _Body:
    """The body of one request; size: its bytes that count as held."""

    def __init__(self, owner: BodyLimit, limits: Limits, receive: Receive, send: Send) -> None:
        self._owner, self._limits, self._receive = owner, limits, receive
        self._deadline = time.monotonic() + limits.body_seconds
        self._closing = _Closing(receive, send)
        self._refused = self._complete = False
        self.size = 0

    async def receive(self) -> Message:
        if self._complete:  # waiting for the client to leave
            return await self._receive()
        try:
            async with asyncio.timeout(self._deadline - time.monotonic()):
                message = await self._receive()
            self._count(message)
        except TimeoutError:
            self._refused = True
            seconds = self._limits.body_seconds
            raise Problem(408, "too_slow", f"The body took more than {seconds:g} seconds.") from None
        except Problem:
            self._refused = True
            raise
        return message

    def _count(self, message: Message) -> None:
        count = len(message.get("body", b""))
        if self.size + count > self._limits.body:
            raise too_large(self._limits)
        self._owner.hold(count)
        self.size += count
        self._complete = not message.get("more_body", False)

    async def send(self, message: Message) -> None:
        await (self._closing.send if self._refused else self._closing.pass_on)(message)


class _Closing:
    """Sends the answer to a request whose body was not read, discards the rest, and then ends the answer."""

    def __init__(self, receive: Receive, send: Send) -> None:
        self._receive, self.pass_on = receive, send

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = [*message.get("headers", []), (b"connection", b"close")]
            await self.pass_on({**message, "headers": headers})
        elif message.get("more_body", False):
            await self.pass_on(message)
        else:
            await self.pass_on({**message, "more_body": True})
            await self._discard()
            await self.pass_on({"type": "http.response.body", "body": b"", "more_body": False})

    async def _discard(self) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(DISCARD_SECONDS):
                while (await self._receive()).get("more_body", False):
                    pass
