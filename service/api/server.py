"""The process of `facenet serve`: uvicorn with bounded connections, on a socket opened before loading."""

import resource
import socket
from contextlib import suppress
from dataclasses import replace

import uvicorn
from fastapi import FastAPI

from facenet.errors import ParamsInvalid
from service.api.connections import bounded_connection
from service.api.json_log import configure_logging
from service.api.settings import Settings
from service.api.tokens import TokenStore

BACKLOG = 2048
OTHER_FILES = 128  # descriptors for everything but connections
END_SECONDS = 30  # for requests in progress when the server is stopped


def check_tokens(settings: Settings, tokens: TokenStore) -> None:
    """Raise ParamsInvalid if requests need a token and there is none."""
    if settings.needs_tokens and not tokens.entries():
        raise ParamsInvalid(
            f"Listening on {settings.host} needs a token, because other machines may connect, and "
            f"{tokens.path} has none. Run `facenet token create NAME --scope read`."
        )


def listen(settings: Settings) -> socket.socket:
    """Return a socket that listens on the address of the settings.

    Raises:
        ParamsInvalid: the address is invalid, not of this machine, or in use.
    """
    try:
        family, *_, address = socket.getaddrinfo(settings.host, settings.port, type=socket.SOCK_STREAM)[0]
        listener = socket.create_server(address[:2], family=family, backlog=BACKLOG, dualstack_ipv6=False)
    except OSError as error:
        raise ParamsInvalid(
            f"Cannot listen on {settings.host} port {settings.port}: {error.strerror or error}. "
            "Choose another --port or --host."
        ) from error
    # Connections inherit it: the body of an answer would wait 40 ms for the client to confirm the headers.
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return listener


def run(app: FastAPI, settings: Settings, listener: socket.socket) -> None:
    """Answer requests until SIGINT or SIGTERM; those in progress are finished."""
    configure_logging()
    limits = replace(settings.limits, connections=_affordable(settings.limits.connections))
    config = uvicorn.Config(
        app,
        http=bounded_connection(limits),
        ws="none",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        timeout_graceful_shutdown=END_SECONDS,
    )
    uvicorn.Server(config).run(sockets=[listener])


def _affordable(connections: int) -> int:
    """Return how many connections there are file descriptors for, after raising the limit if possible."""
    needed = connections + OTHER_FILES
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft == resource.RLIM_INFINITY or soft >= needed:
        return connections
    limit = needed if hard == resource.RLIM_INFINITY else min(needed, hard)
    with suppress(ValueError, OSError):  # not ours to raise
        resource.setrlimit(resource.RLIMIT_NOFILE, (limit, hard))
        soft = limit
    return max(1, min(connections, soft - OTHER_FILES))
