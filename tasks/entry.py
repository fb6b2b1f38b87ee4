"""The entry point of stages and commands: an expected error is one message and exit code 1."""

import io
import os
import select
import signal
import subprocess
import sys
import traceback
from collections.abc import Callable
from types import TracebackType

from facenet.errors import FaceNetError
from facenet.storage import explain
from tasks.redaction import redact, redact_logs

CHECK = "tasks.commands.check"
_PIPE_CLOSED = 128 + signal.SIGPIPE  # what a shell reports for a program killed by SIGPIPE


class CheckFailed(FaceNetError):
    """The check before the stages found a reason for which a later one would fail."""


def stage_main(main: Callable[[], None], error_code: int = 1) -> None:
    """Run `main`; print a FaceNetError as one message without a traceback and exit with `error_code`.

    Storage problems, such as a full disk or missing permissions, are reported the same way. If the reader of
    the output has closed it, as in `facenet results | head -1`, exit silently. Characters that the output's
    encoding lacks are escaped. Passwords and keys are removed from messages, logs and tracebacks.
    """
    redact_logs()
    sys.excepthook = _show_redacted
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")
    try:
        try:
            main()
        finally:
            sys.stdout.flush()  # so that a closed pipe is noticed here and not at interpreter exit
    except FaceNetError as error:
        _fail(error, error_code)
    except BrokenPipeError:
        if not _reader_is_gone():
            raise
        _discard_output()
        sys.exit(_PIPE_CLOSED)
    except OSError as error:
        failure = explain(error)
        if failure is None:
            raise
        _fail(failure, error_code)


def check_first() -> None:
    """Run `python -m tasks.commands.check` in a child process, so that what it imports is not kept.

    Raises:
        CheckFailed: with the message of the child.
    """
    begin_check()()


def begin_check() -> Callable[[], None]:
    """Start the child process of `check_first`; return a function that waits for it, and raises the same."""
    pipe = subprocess.PIPE
    child = subprocess.Popen([sys.executable, "-m", CHECK], stdout=subprocess.DEVNULL, stderr=pipe, text=True)

    def finish() -> None:
        _, errors = child.communicate()
        if child.returncode:
            raise CheckFailed(errors.strip().removeprefix(f"{CheckFailed.__name__}: "))

    return finish


def _fail(error: FaceNetError, code: int) -> None:
    sys.stderr.write(redact(f"{type(error).__name__}: {error}\n"))
    sys.exit(code)


def _show_redacted(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    sys.stderr.write(redact("".join(traceback.format_exception(kind, error, trace))))


def _reader_is_gone() -> bool:
    """Return whether standard output or standard error is a pipe whose reader has closed it."""
    poll = select.poll()
    for stream in (sys.stdout, sys.stderr):
        poll.register(stream.fileno(), 0)  # errors are reported without being requested
    return any(event & (select.POLLERR | select.POLLHUP) for _, event in poll.poll(0))


def _discard_output() -> None:
    """Redirect buffered output to the null device, or the interpreter would complain at exit."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    for stream in (sys.stdout, sys.stderr):
        os.dup2(nowhere, stream.fileno())
