"""Plain HTTP to our own servers: no client library, so that `make status` starts fast."""

import base64
import json
import urllib.error
import urllib.request
from typing import Any

SECONDS = 2.0
# Requests to our own machine must not go to a proxy of the environment.
_OPENER = urllib.request.build_opener(urllib.request.ProxyHandler({}))


class Unanswered(Exception):
    """A request failed; the message says how, and `status` is the HTTP status, 0 without a response."""

    def __init__(self, message: str, status: int = 0) -> None:
        super().__init__(message)
        self.status = status


def ask(url: str, body: Any = None, *, auth: str = "", seconds: float = SECONDS) -> bytes:
    """Return the body of the response to GET, or to POST of `body` as JSON.

    auth: USER:PASSWORD for basic authentication.

    Raises:
        Unanswered: no connection, no response in time, or an HTTP status that is an error.
    """
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(url, data=data)  # noqa: S310  # all our URLs begin with http:
    request.add_header("Content-Type", "application/json")
    if auth:
        request.add_header("Authorization", f"Basic {base64.b64encode(auth.encode()).decode()}")
    try:
        with _OPENER.open(request, timeout=seconds) as response:
            content: bytes = response.read()
    except urllib.error.HTTPError as error:
        raise Unanswered(f"HTTP {error.code}", error.code) from error
    except urllib.error.URLError as error:
        raise Unanswered(getattr(error.reason, "strerror", None) or str(error.reason)) from error
    except OSError as error:
        raise Unanswered(error.strerror or str(error) or "no response in time") from error
    return content
