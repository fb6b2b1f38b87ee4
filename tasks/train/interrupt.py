"""Stop on SIGTERM or Ctrl-C after the step that is under way, not in the middle of it."""

import signal
import sys
import threading
from collections.abc import Callable
from types import FrameType, TracebackType
from typing import Any, Self

Handler = Callable[[int, FrameType | None], Any] | int | None
SIGNALS = (signal.SIGTERM, signal.SIGINT)


class StopRequest:
    """Inside the context, call it to learn whether a signal asked to stop. A second one stops at once."""

    def __init__(self) -> None:
        self.number = 0
        self._former: dict[signal.Signals, Handler] = {}

    def __call__(self) -> bool:
        """Tell whether a signal came."""
        return self.number != 0

    def __enter__(self) -> Self:
        if (
            threading.current_thread() is threading.main_thread()
        ):  # Python lets no other thread handle signals
            self._former = {number: signal.signal(number, self._ask) for number in SIGNALS}
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._restore()

    @property
    def exit_code(self) -> int:
        """128 + the signal, as shells have it: 130 after Ctrl-C, 143 after SIGTERM, here or elsewhere."""
        return 128 + (self.number or signal.SIGTERM)

    def _ask(self, number: int, _frame: FrameType | None) -> None:
        self.number = number
        self._restore()
        sys.stderr.write(
            "\nStopping after this step; the checkpoint is kept and the next run goes on from it.\n"
        )

    def _restore(self) -> None:
        for number, former in self._former.items():
            signal.signal(number, former)
