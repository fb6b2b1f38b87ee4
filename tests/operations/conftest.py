"""Settings of servers that are not started, and a server under our own control."""

import http.server
import json
import threading
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from operations.folder import Folder
from operations.secrets import Secrets
from operations.settings import Settings
from operations.stack import Stack
from tests.servers import free_port

Answers = dict[str, tuple[int, Any]]


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    """A new folder of servers, with letters and a space that need care."""
    made = Folder(tmp_path / "ünï sérvers")
    made.create()
    return made


@pytest.fixture
def make_stack(folder: Folder) -> Callable[..., Stack]:
    """Returns the stack of the folder with some settings; no server of it runs."""

    def make(**settings: Any) -> Stack:
        return Stack(folder, Settings(**{"workspace": "/w", "database": "sqlite", **settings}), Secrets())

    return make


@pytest.fixture
def answering() -> Iterator[Callable[[Answers], int]]:
    """Returns the port of an HTTP server that answers paths with a status and a body."""
    servers: list[http.server.ThreadingHTTPServer] = []

    def start(answers: Answers) -> int:
        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                status, body = answers.get(self.path, (404, ""))
                content = body.encode() if isinstance(body, str) else json.dumps(body).encode()
                self.rfile.read(int(self.headers.get("Content-Length") or 0))
                self.send_response(status)
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            do_POST = do_GET

            def log_message(self, *_: object) -> None:
                pass

        servers.append(http.server.ThreadingHTTPServer(("127.0.0.1", free_port()), Handler))
        serve = partial(servers[-1].serve_forever, poll_interval=0.01)
        threading.Thread(target=serve, daemon=True).start()
        return int(servers[-1].server_address[1])

    yield start
    for server in servers:
        server.shutdown()
        server.server_close()
