"""The port of the served champion: pass each connection on to the model server whose turn it is.

A model takes seconds to load. With one door and two servers behind it a switch interrupts no request:
connections that exist stay with the old server until it ends, new ones go to the new server.
"""

import asyncio
from contextlib import suppress

from operations.folder import Folder
from operations.served import load_served
from operations.settings import LOOPBACK, Settings

CHUNK, LINGER_SECONDS = 1 << 16, 5.0
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
            await _refuse(reader, writer)
            return
        try:
            await asyncio.gather(_copy(reader, server_writer), _copy(server_reader, writer))
        except OSError:
            pass  # one side is gone, so the other one is closed as well
        finally:
            await asyncio.gather(_close(writer), _close(server_writer))

    server = await asyncio.start_server(connected, LOOPBACK, settings.champion_port)
    async with server:
        await server.serve_forever()


async def _refuse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Answer 503, and read the rest of the request: closing at once would break the sender's pipe."""
    with suppress(OSError, TimeoutError):
        writer.write(UNAVAILABLE)
        writer.write_eof()
        async with asyncio.timeout(LINGER_SECONDS):
            while await reader.read(CHUNK):
                pass
    await _close(writer)


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Pass bytes on until the sender has no more, which the receiver is then informed of."""
    while chunk := await reader.read(CHUNK):
        writer.write(chunk)
        await writer.drain()
    writer.write_eof()


async def _close(writer: asyncio.StreamWriter) -> None:
    with suppress(OSError):
        writer.close()
        await writer.wait_closed()
