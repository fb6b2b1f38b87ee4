"""SIGKILL of a flow that holds the workspace: the next one starts at once.

The kernel releases the lock with the process, so that a lock is never stale.
"""

import subprocess
import sys
import time
from pathlib import Path

from faults.errors import FaultFound

HOLD = """
import sys, time
from flows.workspace import exclusive
with exclusive(sys.argv[1], print):
    print("locked", flush=True)
    time.sleep(float(sys.argv[2]))
"""
SECONDS = 15


def run(folder: Path) -> None:
    """Kill the holder of the lock and measure how long the next one waits."""
    subprocess.run([sys.executable, "-m", "dvc", "init", "--no-scm", "-q"], cwd=folder, check=True)
    processes = [_hold("the first run", 600, folder)]
    try:
        _expect(processes[0], "locked")
        processes.append(_hold("the second run", 0, folder))
        _expect(processes[1], "Waiting for the first run")
        processes[0].kill()
        killed = time.monotonic()
        _expect(processes[1], "locked")
        waited = time.monotonic() - killed
        if processes[1].wait(SECONDS) or waited > SECONDS:
            raise FaultFound(f"the second run got the lock after {waited:.1f} s")
    finally:
        for process in processes:
            process.kill()
            process.wait()


def _hold(name: str, seconds: float, folder: Path) -> "subprocess.Popen[str]":
    root = Path(__file__).parents[2]
    return subprocess.Popen(
        [sys.executable, "-u", "-c", HOLD, name, str(seconds)],
        cwd=folder,
        env={"PYTHONPATH": str(root)},
        stdout=subprocess.PIPE,
        text=True,
    )


def _expect(process: "subprocess.Popen[str]", words: str) -> None:
    assert process.stdout is not None
    line = process.stdout.readline()
    if words not in line:
        raise FaultFound(f"expected {words!r}, got {line!r}")
