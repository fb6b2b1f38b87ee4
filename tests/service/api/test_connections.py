"""Connections of a real server; the app behind it has no model."""

import socket
import threading
import time
from collections.abc import Iterator

import pytest
import uvicorn

from service.api.connections import bounded_connection
from service.api.settings import Limits
from tests.service.api.apps import bare_app

LIMITS = Limits(connections=5, header_seconds=0.3)
GET = b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n"


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    app = bare_app()
    config = uvicorn.Config(app, http=bounded_connection(LIMITS), ws="none", log_config=None, lifespan="off")
    server = uvicorn.Server(config)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
        thread.start()
        while not server.started:
            time.sleep(0.01)
        yield listener.getsockname()[1]
        server.should_exit = True
        thread.join()


def connected(port: int, data: bytes = b"") -> socket.socket:
    made = socket.create_connection(("127.0.0.1", port), timeout=5)
    made.sendall(data)
    return made


def everything(connection: socket.socket) -> bytes:
    found = b""
    while part := connection.recv(65536):
        found += part
    return found


def dribble(connection: socket.socket) -> None:
    for byte in b"GET /healthz HTTP/1.1\r\nX: " + b"x" * 200:
        connection.sendall(bytes([byte]))
        time.sleep(0.02)


def test_a_connection_too_many_gets_429_and_room_comes_back(port: int) -> None:
    silent = [connected(port) for _ in range(LIMITS.connections)]
    with connected(port) as extra:
        answer = everything(extra)
    assert answer.startswith(b"HTTP/1.1 429 ")
    assert b'"reason": "busy"' in answer
    for connection in silent:
        assert everything(connection) == b""  # closed: no headers came in time
        connection.close()
    with connected(port, GET) as later:
        assert later.recv(12) == b"HTTP/1.1 200"


def test_headers_that_dribble_in_are_not_waited_for(port: int) -> None:
    with connected(port) as slow:
        started = time.monotonic()
        with pytest.raises(OSError, match=r"Broken pipe|reset"):
            dribble(slow)
        assert time.monotonic() - started < 3


def test_a_connection_answers_several_requests(port: int) -> None:
    with connected(port) as connection:
        for _ in range(3):
            connection.sendall(GET)
            answer = b""
            while not answer.endswith(b'{"status":"ok"}'):
                answer += connection.recv(65536)
            time.sleep(0.15)  # longer in all than headers may take
        connection.sendall(GET[:10])  # a second request that never ends
        assert everything(connection) == b""
