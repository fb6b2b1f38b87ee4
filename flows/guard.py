"""Run a command in its own process group, which never outlives the process that holds our standard input.

`python guard.py GRACE COMMAND...` terminates the whole group when its standard input closes, either on
purpose or because the holder was killed. Killing only DVC would leave the stage running.
"""

import os
import signal
import subprocess
import sys
import threading
import time

import psutil

POLL_SECONDS = 0.1


def members(group: int) -> list[int]:
    """Return the pids of the processes of a group that still run; zombies do not count."""
    found = []
    for process in psutil.process_iter():
        try:
            if os.getpgid(process.pid) == group and process.status() != psutil.STATUS_ZOMBIE:
                found.append(process.pid)
        except (ProcessLookupError, psutil.NoSuchProcess):
            continue  # it ended in the meantime
    return found


class Group:
    """A process group that is ended once, no matter how many threads request it."""

    def __init__(self, group: int, grace: float) -> None:
        self._group, self._grace = group, grace
        self._lock = threading.Lock()

    def end(self) -> None:
        """Send SIGTERM, wait up to the grace period in seconds for all members to end, then send SIGKILL."""
        with self._lock:
            self._signal(signal.SIGTERM)
            deadline = time.monotonic() + self._grace
            while members(self._group):
                if time.monotonic() > deadline:
                    self._signal(signal.SIGKILL)
                time.sleep(POLL_SECONDS)

    def _signal(self, number: signal.Signals) -> None:
        if members(self._group):
            os.killpg(self._group, number)


def main(grace: float, command: list[str]) -> int:
    """Run `command` and return its exit code, 128 + n after signal n."""
    signal.signal(signal.SIGTERM, lambda *_: None)  # we exit after the group, not before
    child = subprocess.Popen(command, stdin=subprocess.DEVNULL, process_group=0)
    group = Group(child.pid, grace)
    threading.Thread(target=_end_at_close, args=(group,), daemon=True).start()
    code = child.wait()
    group.end()  # processes that the command left behind
    return code if code >= 0 else 128 - code


def _end_at_close(group: Group) -> None:
    while os.read(sys.stdin.fileno(), 1):
        pass
    group.end()


if __name__ == "__main__":
    sys.exit(main(float(sys.argv[1]), sys.argv[2:]))
