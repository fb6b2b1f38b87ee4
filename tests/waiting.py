"""Wait for effects of other processes, with a timeout long enough for a busy machine."""

import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


def wait_for(holds: Callable[[], T], seconds: float = 300) -> T:
    """Poll `holds` until its result is true, and return the result."""
    deadline = time.monotonic() + seconds
    while not (result := holds()):
        assert time.monotonic() < deadline, f"{holds} was not true within {seconds} s"
        time.sleep(0.05)
    return result
