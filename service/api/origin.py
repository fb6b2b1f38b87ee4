"""Requests that the page of another site made a browser send are refused."""

from urllib.parse import urlsplit

from starlette.types import ASGIApp, Receive, Scope, Send

from service.api.problems import Problem, problem_response, request_id_of

SAFE = ("GET", "HEAD", "OPTIONS")


class Origin:
    """ASGI middleware that checks Host, Sec-Fetch-Site and Origin.

    A Host that is not ours is a name made to resolve to this machine (DNS rebinding). A request that changes
    something must not come from another site's page (CSRF): browsers say so in Sec-Fetch-Site, and older ones
    in Origin. Programs send neither.

    Args:
        app: the app to protect.
        hosts: accepted names, in lower case; None for any.
    """

    def __init__(self, app: ASGIApp, *, hosts: frozenset[str] | None) -> None:
        self._app, self._hosts = app, hosts

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        problem = self._problem(scope) if scope["type"] == "http" else None
        if problem is None:
            await self._app(scope, receive, send)
        else:
            await problem_response(problem, request_id_of(scope))(scope, receive, send)

    def _problem(self, scope: Scope) -> Problem | None:
        headers = {name: value.decode("latin-1") for name, value in scope["headers"]}
        host = headers.get(b"host", "")
        if self._hosts is not None and host_name(host) not in self._hosts:
            message = (
                "The Host header names another server. Start with --allow-host to serve under that name."
            )
            return Problem(421, "wrong_host", message)
        if scope["method"] not in SAFE and _is_foreign(headers, host):
            return Problem(403, "cross_site", "The request comes from a page of another site.")
        return None


def host_name(host: str) -> str:
    """Return the name of a Host header, without port and brackets, in lower case; "" if it is invalid."""
    try:
        return (urlsplit(f"//{host}").hostname or "").lower()
    except ValueError:
        return ""


def _is_foreign(headers: dict[bytes, str], host: str) -> bool:
    site = headers.get(b"sec-fetch-site")
    if site is not None:
        return site not in ("same-origin", "none")
    origin = headers.get(b"origin")
    return origin is not None and urlsplit(origin).netloc.lower() != host.lower()
