"""A real HTTP server on loopback that can be made to misbehave."""

import http.server
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest


@dataclass
class Site:
    """Files, behaviour and received requests of the server.

    breaks: body bytes after which the next responses are cut. statuses: sent instead of the next responses.
    requests: path and Range header of each.
    """

    files: dict[str, bytes] = field(default_factory=dict)
    version: str | None = '"1"'
    ranges: bool = True
    breaks: list[int] = field(default_factory=list)
    statuses: list[int] = field(default_factory=list)
    requests: list[tuple[str, str | None]] = field(default_factory=list)
    url: str = ""


@pytest.fixture
def site() -> Iterator[Site]:
    site = Site()
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), _handler(site))
    site.url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    yield site
    server.shutdown()
    thread.join()
    server.server_close()


def _handler(site: Site) -> type[http.server.BaseHTTPRequestHandler]:
    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            byte_range = self.headers.get("Range")
            site.requests.append((self.path, byte_range))
            if site.statuses:
                self.send_error(site.statuses.pop(0))
                return
            body = site.files.get(self.path)
            if body is None:
                self.send_error(404)
                return
            start = 0
            if byte_range and site.ranges and self.headers.get("If-Range") == site.version:
                start = int(byte_range.removeprefix("bytes=").removesuffix("-"))
                if start >= len(body):
                    self.send_error(416)
                    return
            self.send_response(206 if start else 200)
            if site.version:
                self.send_header("ETag", site.version)
            self.send_header("Content-Length", str(len(body) - start))
            self.end_headers()
            end = start + site.breaks.pop(0) if site.breaks else len(body)
            self.wfile.write(body[start:end])
            self.close_connection = True

        def log_message(self, *_: object) -> None:
            pass

    return Handler
