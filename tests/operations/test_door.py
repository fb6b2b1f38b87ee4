"""The door passes connections on to the server whose turn it is."""

import asyncio
import socket
import struct
import threading
import time
from collections.abc import Callable, Iterator

import pytest

from operations.door import serve
from operations.http import Unanswered, ask
from operations.served import Served, save_served
from operations.settings import Settings
from operations.stack import Stack
from tests.operations.conftest import Answers
from tests.servers import free_port
from tests.waiting import wait_for


@pytest.fixture
def door(
    make_stack: Callable[..., Stack], answering: Callable[[Answers], int], monkeypatch: pytest.MonkeyPatch
) -> Iterator[Stack]:
    """The stack of a door before two servers, which answer with their names."""
    ports = {slot: answering({"/": (200, f"server {slot}")}) for slot in "ab"}
    monkeypatch.setattr(Settings, "model_port", lambda _, slot: ports[slot])
    stack = make_stack(champion_port=free_port())
    loop = asyncio.new_event_loop()
    task = loop.create_task(serve(stack.folder, stack.settings))
    thread = threading.Thread(
        target=lambda: loop.run_until_complete(asyncio.gather(task, return_exceptions=True))
    )
    thread.start()
    wait_for(lambda: answers(stack) is not None)
    yield stack
    loop.call_soon_threadsafe(task.cancel)
    thread.join()
    loop.close()


def answers(stack: Stack) -> str | None:
    try:
        return ask(f"http://127.0.0.1:{stack.settings.champion_port}/").decode()
    except Unanswered as reason:
        return str(reason) if reason.status else None


def test_the_next_connection_goes_to_the_server_whose_turn_it_is(door: Stack) -> None:
    assert answers(door) == "server a"
    save_served(Served("b", "2"), door.folder)
    assert answers(door) == "server b"


def test_without_a_server_behind_it_it_says_so(door: Stack, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Settings, "model_port", lambda *_: free_port())
    start = time.monotonic()
    assert answers(door) == "HTTP 503"
    assert time.monotonic() - start < 5
    with pytest.raises(Unanswered, match="HTTP 503"):
        ask(f"http://127.0.0.1:{door.settings.champion_port}/", "x" * 5_000_000)


def test_a_client_that_has_sent_everything_still_gets_its_answer(door: Stack) -> None:
    with socket.create_connection(("127.0.0.1", door.settings.champion_port)) as client:
        client.sendall(b"GET / HTTP/1.0\r\n\r\n")
        client.shutdown(socket.SHUT_WR)
        answer = b"".join(iter(lambda: client.recv(4096), b""))
    assert answer.endswith(b"server a")


def test_a_client_that_hangs_up_leaves_the_door_open_for_others(door: Stack) -> None:
    for _ in range(20):
        with socket.create_connection(("127.0.0.1", door.settings.champion_port)) as client:
            client.sendall(b"POST / HTTP/1.1\r\nContent-Length: 100000\r\n\r\nx")
            client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))  # a reset
    assert answers(door) == "server a"
