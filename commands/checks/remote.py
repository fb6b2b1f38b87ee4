"""DVC's default remote, asked in another process, which can be ended when it does not answer."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from commands.checks.finding import Finding, note, ok, wrong

SECONDS = 20.0
COMMAND = (sys.executable, "-m", "flows.remote_status")


def check_remote() -> Iterator[Finding]:
    """Check that the default remote of DVC exists and answers."""
    if not Path(".dvc").is_dir():
        return
    try:
        done = subprocess.run(COMMAND, capture_output=True, text=True, check=False, timeout=SECONDS)
    except subprocess.TimeoutExpired:
        fix = "check its address and the network: dvc remote list"
        yield wrong("dvc remote", f"the default remote does not answer within {SECONDS:g} s", fix)
        return
    lines = done.stdout.splitlines()
    if done.returncode == 0:
        yield ok("dvc remote", lines[0])
    elif done.returncode == 3:
        message = "there is no default remote: the data is on this machine only"
        yield note("dvc remote", message, "dvc remote add --default storage PLACE")
    else:
        message, fix = [*lines, ""][:2] if lines else (_last(done.stderr), "dvc doctor")
        yield wrong("dvc remote", message, fix or "dvc doctor")


def _last(text: str) -> str:
    lines = text.strip().splitlines()
    return lines[-1] if lines else "DVC ended without a reason"
