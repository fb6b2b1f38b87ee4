"""Wait for what other processes do in their own time: as long as a busy machine needs, and never for ever."""

import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


def wait_for(holds: Callable[[], T], seconds: float = 300) -> T:
    """Ask until the answer is true, and return it."""
    deadline = time.monotonic() + seconds
    while not (answer := holds()):
        assert time.monotonic() < deadline, f"{holds} did not come true in {seconds} s"
        time.sleep(0.05)
    return answer
