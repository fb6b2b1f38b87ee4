"""PREFECT_API_URL or MLFLOW_TRACKING_URI point to nothing: one line with the URL and the fix within 15 s.

With --local the flow needs no Prefect server, and SIGTERM ends it within 20 s.
"""

import signal
import sys
import time
from pathlib import Path

from faults.errors import FaultFound
from faults.night import Night, trained_for

LINE_SECONDS, END_SECONDS = 15.0, 20.0
NOWHERE = "http://127.0.0.1:9"
COMMANDS = ("training", "promotion", "sweep --grid train.margin=0.2", "scoring photos out.parquet", "deploy")


def run(folder: Path) -> None:
    """Run each flow with each of the two URLs, then one with --local until SIGTERM."""
    here = Night(folder, trained_for(200))
    try:
        for variable, url in (("PREFECT_API_URL", f"{NOWHERE}/api"), ("MLFLOW_TRACKING_URI", NOWHERE)):
            for words in COMMANDS:
                if words == "deploy" and variable != "PREFECT_API_URL":
                    continue
                _expect_line(here, words, variable, url)
        _expect_end(here)
    finally:
        here.close()


def _expect_line(here: Night, words: str, variable: str, url: str) -> None:
    local = [] if variable == "PREFECT_API_URL" else ["--local"]
    command = [sys.executable, "-m", f"flows.{words.split()[0]}", *words.split()[1:], *local]
    start = time.monotonic()
    done = here.project.call(*command, env={variable: url})
    seconds, lines = time.monotonic() - start, done.stdout.strip().splitlines()
    if not done.returncode or len(lines) != 1 or url not in lines[0] or seconds > LINE_SECONDS:
        raise FaultFound(
            f"{words}: exit {done.returncode} after {seconds:.1f} s, {len(lines)} lines:\n{done.stdout}"
        )
    print(f"   {words.split()[0]} without {variable}: {seconds:.1f} s, {lines[0][:100]}")


def _expect_end(here: Night) -> None:
    process = here.command(sys.executable, "-m", "flows.training", "--local")
    here.until(lambda: here.working("tasks.train"), 180, "train of a run with --local and no server")
    process.send_signal(signal.SIGTERM)
    start = time.monotonic()
    process.communicate(timeout=60)
    seconds = time.monotonic() - start
    left = here.working("tasks.train")
    if seconds > END_SECONDS or not process.returncode or left:
        raise FaultFound(f"SIGTERM: exit {process.returncode} after {seconds:.1f} s, left: {left}")
    print(f"   --local trains without the server; SIGTERM ends it after {seconds:.1f} s")
