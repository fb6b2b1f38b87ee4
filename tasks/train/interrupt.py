"""Stop on SIGTERM or Ctrl-C after the current step, not in the middle of it."""

import signal
import sys
import threading
from collections.abc import Callable
from types import FrameType, TracebackType
from typing import Any, Self

Handler = Callable[[int, FrameType | None], Any] | int | None
SIGNALS = (signal.SIGTERM, signal.SIGINT)


class StopRequest:
    """Within its context, a call returns whether a signal arrived. A second signal stops at once."""

    def __init__(self) -> None:
        self.number = 0
        self._previous: dict[signal.Signals, Handler] = {}

    def __call__(self) -> bool:
        """Return whether a signal arrived."""
        return self.number != 0

    def __enter__(self) -> Self:
        # Python allows only the main thread to set signal handlers.
        if threading.current_thread() is threading.main_thread():
            self._previous = {number: signal.signal(number, self._ask) for number in SIGNALS}
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._restore()

    @property
    def exit_code(self) -> int:
        """128 + the signal, as in shells: 130 after Ctrl-C, 143 after SIGTERM, in this process or another."""
        return 128 + (self.number or signal.SIGTERM)

    def _ask(self, number: int, _frame: FrameType | None) -> None:
        self.number = number
        self._restore()
        sys.stderr.write("\nStopping after this step. The next run resumes from the checkpoint.\n")

    def _restore(self) -> None:
        for number, handler in self._previous.items():
            signal.signal(number, handler)
