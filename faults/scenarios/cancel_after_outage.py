"""Cancelling a run from the UI after an outage of the Prefect server: no process of it is left after 10 s.

Prefect's worker stops listening for cancellations in an outage; the run itself asks for its state.
"""

import time
from pathlib import Path

from faults.errors import FaultFound
from faults.night import night

OUTAGE_SECONDS, END_SECONDS = 60.0, 10.0


def run(folder: Path) -> None:
    """Kill the server in train, start it again, cancel, and measure."""
    with night(folder, epochs=200) as here:
        training = here.launch("training/nightly")
        here.until(lambda: here.working("tasks.train"), 120, "the stage train")
        here.kill("server")
        time.sleep(OUTAGE_SECONDS)
        here.start_server()
        time.sleep(5)
        if not here.working("tasks.train"):
            raise FaultFound("train ended in the outage")
        here.ask("post", f"flow_runs/{training}/set_state", {"state": {"type": "CANCELLING"}})
        cancelled = time.monotonic()
        here.until(lambda: not here.working("tasks.train"), END_SECONDS, "the end of train")
        print(f"   no process of the stage {time.monotonic() - cancelled:.1f} s after the cancellation")
        here.expect(training, "Cancelled", 30)
        print(f"   Cancelled {time.monotonic() - cancelled:.1f} s after the cancellation")
        time.sleep(5)
        if any(here.working(f"tasks.{stage}") for stage in ("train", "evaluate", "register")):
            raise FaultFound("a later stage runs after the cancellation")
