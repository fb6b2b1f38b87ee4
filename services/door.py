"""The port of the served champion: pass each connection on to the model server whose turn it is.

A model takes seconds to load. With one door and two servers behind it a switch interrupts no request:
connections that exist stay with the old server until it ends, new ones go to the new server.
"""

import asyncio
from contextlib import suppress

from services.folder import Folder
from services.served import load_served
from services.settings import LOOPBACK, Settings

CHUNK = 1 << 16
ABSENT = b"No model is served at the moment.\n"
UNAVAILABLE = (
    b"HTTP/1.1 503 Service Unavailable\r\nContent-Type: text/plain\r\nConnection: close\r\nRetry-After: 5\r\n"
    b"Content-Length: %d\r\n\r\n%s" % (len(ABSENT), ABSENT)
)


async def serve(folder: Folder, settings: Settings) -> None:
    """Forward connections to the champion's port until this process ends."""

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            port = settings.model_port(load_served(folder).slot)
            server_reader, server_writer = await asyncio.open_connection(LOOPBACK, port)
        except OSError:
            writer.write(UNAVAILABLE)
            await _close(writer)
            return
        await asyncio.gather(_copy(reader, server_writer), _copy(server_reader, writer))

    server = await asyncio.start_server(connected, LOOPBACK, settings.champion_port)
    async with server:
        await server.serve_forever()


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while chunk := await reader.read(CHUNK):
            writer.write(chunk)
            await writer.drain()
    except OSError:
        pass  # one side is gone; the other one is closed below
    await _close(writer)


async def _close(writer: asyncio.StreamWriter) -> None:
    with suppress(OSError):
        writer.close()
        await writer.wait_closed()
