"""Look for bytes in a file, in a process that is started for it: `python scan.py FILE`.

A process that closes any handle of an SQLite database loses the locks of all its connections to it (POSIX
advisory locks), so the process that uses the database must not read its file.
"""

import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

CHUNK = 2**24  # bytes read at once
FOUND, NOT_FOUND = 3, 4  # exit codes; Python itself uses 1 and 2


def holds(path: Path, traces: Sequence[bytes]) -> bool:
    """Return whether a file contains one of these sequences of bytes; an empty or missing one does not.

    Raises:
        OSError: the file cannot be read.
    """
    command = [sys.executable, "-I", "-S", __file__, str(path)]
    text = "\n".join(trace.hex() for trace in traces)
    done = subprocess.run(command, input=text, capture_output=True, text=True)
    if done.returncode not in (FOUND, NOT_FOUND):
        raise OSError(f"{path} cannot be searched: {done.stderr.strip()}")
    return done.returncode == FOUND


def _contains(path: Path, traces: Sequence[bytes]) -> bool:
    # Read, not mapped: another process may truncate the file, which kills a process that has it mapped.
    overlap = max(map(len, traces), default=1) - 1
    kept = b""
    try:
        with path.open("rb") as file:
            while chunk := file.read(CHUNK):
                kept += chunk
                if any(trace in kept for trace in traces):
                    return True
                kept = kept[max(0, len(kept) - overlap) :]
    except FileNotFoundError:
        return False
    return False


if __name__ == "__main__":
    wanted = [bytes.fromhex(line) for line in sys.stdin.read().split()]
    sys.exit(FOUND if _contains(Path(sys.argv[1]), wanted) else NOT_FOUND)
