"""10,000 connections at once to `facenet serve`: bounded, refused clearly, and gone with their memory.

Those over the limit get 429. Meanwhile a connection that was accepted before is answered, and so is a new
client when the others are gone.
"""

import resource
import select
import socket
from contextlib import suppress
from pathlib import Path

from faults.errors import FaultFound
from faults.serving import Serving, serving

CONNECTIONS, LIMIT = 10_000, 1024
GET = b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n"
GROWTH_MB = 300.0


def run(folder: Path) -> None:
    """Open the connections, use the first ones, close them all, and connect again."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    count = CONNECTIONS if hard == resource.RLIM_INFINITY else min(CONNECTIONS, hard - 500)
    resource.setrlimit(resource.RLIMIT_NOFILE, (count + 500, hard))
    with serving(folder, "--model", "pretrained") as server:
        before = server.memory_mb()
        connections = [_connect(server) for _ in range(count)]
        first = connections[0]
        first.sendall(GET)
        if b" 200 " not in first.recv(65536):
            raise FaultFound("a connection that was accepted is not answered")
        refused = sum(_answered(connection) for connection in connections[1:])
        if refused < count - LIMIT - 1:
            raise FaultFound(
                f"{refused} of {count} connections were refused, expected at least {count - LIMIT}"
            )
        grown = server.memory_mb() - before
        if grown > GROWTH_MB:
            raise FaultFound(f"{count} connections cost {grown:.0f} MB")
        for connection in connections:
            connection.close()
        server.verify()
        print(f"{count} connections: {refused} refused, {grown:.0f} MB more")


def _connect(server: Serving) -> socket.socket:
    return socket.create_connection(("127.0.0.1", server.port), timeout=60)


def _answered(connection: socket.socket) -> bool:
    """Return whether the server has refused a connection, or closed it."""
    poll = select.poll()
    poll.register(connection, select.POLLIN)
    if not poll.poll(1):
        return False
    with suppress(ConnectionResetError):  # closed before its answer was read
        answer = connection.recv(65536)
        if answer and b" 429 " not in answer:
            raise FaultFound(f"a connection too many got {answer[:60]!r}")
    return True
