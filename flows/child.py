"""A Python module of ours as a child process: what needs torch and can be stopped at any time."""

import os
import sys
from collections import deque
from collections.abc import Callable, Sequence

from prefect import get_run_logger

from facenet.errors import FaceNetError
from flows import process

LAST_LINES = 40


class ChildFailed(FaceNetError):
    """The module ended with an error; the message has its last lines of output."""


def run_module(module: str, arguments: Sequence[str], *, check: Callable[[], None]) -> None:
    """Run `python -m module arguments`, with its output in the log of the run.

    check: called every second; an exception from it ends the module with all its processes.

    Raises:
        ChildFailed: it ended with an error.
    """
    last: deque[str] = deque(maxlen=LAST_LINES)
    logger = get_run_logger()

    def follow(line: str) -> None:
        last.append(line)
        logger.info("%s", line)

    environment = {**os.environ, "PYTHONUNBUFFERED": "1"}
    command = [sys.executable, "-m", module, *arguments]
    if process.run(command, follow, env=environment, check=check):
        raise ChildFailed("\n".join(last) or f"{module} failed without a word.")
