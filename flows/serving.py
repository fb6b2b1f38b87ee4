"""After a promotion or a rollback: let the servers of `make up`, if they run, serve the champion.

They are in a package that flows do not import, and switch in a process of their own.
"""

import subprocess
import sys

from facenet.errors import FaceNetError

COMMAND = (sys.executable, "-m", "operations", "switch")


class NotServed(FaceNetError):
    """The servers do not serve the champion; they go on with the version before."""


def serve_champion() -> str:
    """Return what is served now, "" if no servers run or they serve no model.

    Raises:
        NotServed: the champion does not load or does not answer a probe; the message has the reason.
    """
    done = subprocess.run(COMMAND, capture_output=True, text=True)
    if done.returncode:
        lines = done.stderr.strip().splitlines()
        raise NotServed(lines[-1].partition(": ")[2] if lines else f"exit code {done.returncode}")
    return done.stdout.strip()
