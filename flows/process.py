"""Run a command as a child process: stream its output by line, and leave no process behind."""

import codecs
import os
import re
import select
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

from tasks.redaction import redact

GUARD = Path(__file__).with_name("guard.py")
GRACE_SECONDS = 12.0  # from SIGTERM to SIGKILL: enough to write a checkpoint, and a run ends within 20 s
PROGRESS_SECONDS = 5.0
_BREAK = re.compile(r"\r\n|\n|\r(?!\Z)")  # a last \r may be half of \r\n
_ESCAPE = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")  # colours and cursor movement


class Lines:
    """Split a stream of text into lines, and thin out progress bars, which redraw after a carriage return.

    One state of a bar passes every `progress_seconds`, and the last one always does. Empty lines are dropped.
    """

    def __init__(self, progress_seconds: float = PROGRESS_SECONDS) -> None:
        self._every, self._shown = progress_seconds, float("-inf")
        self._rest = ""

    def feed(self, text: str) -> Iterator[str]:
        """Yield the lines completed by `text`."""
        self._rest += text
        start = 0
        for found in _BREAK.finditer(self._rest):
            line = _clean(self._rest[start : found.start()])
            start = found.end()
            if line and (found.group() != "\r" or self._is_due()):
                yield line
        self._rest = self._rest[start:]

    def close(self) -> Iterator[str]:
        """Yield the last line if it has no line break."""
        if line := _clean(self._rest):
            yield line
        self._rest = ""

    def _is_due(self) -> bool:
        now = time.monotonic()
        if now - self._shown < self._every:
            return False
        self._shown = now
        return True


def _clean(line: str) -> str:
    """Return a line without colours, and without passwords: it goes to logs, states and artifacts."""
    return redact(_ESCAPE.sub("", line).strip("\r").rstrip())


def run(
    command: Sequence[str],
    on_line: Callable[[str], None],
    *,
    env: Mapping[str, str] | None = None,
    folder: Path | None = None,
    grace: float = GRACE_SECONDS,
    check: Callable[[], None] = lambda: None,
) -> int:
    """Run `command`, pass each line of its output (both streams) to `on_line`, and return its exit code.

    It runs in `folder`, by default the working folder. `check` is called every second while it runs.

    An exception from a signal handler, from `on_line` or from `check` first ends the command with all its
    children: SIGTERM, then SIGKILL after `grace` seconds. The same happens if this process is killed.
    """
    process = subprocess.Popen(
        [sys.executable, str(GUARD), str(grace), *command],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        start_new_session=True,  # Ctrl-C in the terminal reaches only this process
        env=env,
        cwd=folder,
    )
    assert process.stdin
    assert process.stdout
    with process.stdout:
        try:
            for line in _read(process, check):
                on_line(line)
        except BaseException:
            process.stdin.close()
            for line in _read(process, lambda: None):
                on_line(line)
            raise
        finally:
            process.stdin.close()
            process.wait()
    return process.returncode


def _read(process: subprocess.Popen[bytes], check: Callable[[], None]) -> Iterator[str]:
    """Yield lines until the output ends, or the guard has exited while a daemon still holds it open."""
    assert process.stdout
    lines, decoder = Lines(), codecs.getincrementaldecoder("utf-8")("replace")
    descriptor = process.stdout.fileno()
    while True:
        check()
        if not select.select([descriptor], [], [], 1.0)[0]:
            if process.poll() is not None:
                break
            continue
        chunk = os.read(descriptor, 65536)
        if not chunk:
            break
        yield from lines.feed(decoder.decode(chunk))
    yield from lines.close()
