"""SIGKILL of the worker and of the flow's process in train: the run turns Crashed, and the next one starts.

The guard ends the stage, the kernel frees the workspace, and the automation misses the heartbeats.
"""

import time
from pathlib import Path

import psutil

from faults.errors import FaultFound
from faults.night import Night, night

NEXT_SECONDS = 60.0
CRASHED_SECONDS = 240.0  # 150 s without a heartbeat, and the events' own delay


def run(folder: Path) -> None:
    """Kill both, start a worker, and check the next run, the killed one, and the alert."""
    with night(folder, epochs=200) as here:
        killed = here.launch("training/nightly")
        here.until(lambda: here.working("tasks.train"), 120, "the stage train")
        time.sleep(3)  # the first heartbeat has arrived
        start = here.kill_flow_in("tasks.train")
        here.start_worker()
        again = here.launch("training/nightly")
        here.until(lambda: here.working("tasks.train"), NEXT_SECONDS, "train of the next run")
        print(f"   the next run trains {time.monotonic() - start:.0f} s after the kill")
        here.expect(killed, "Crashed", CRASHED_SECONDS)
        print(f"   the killed run is Crashed {time.monotonic() - start:.0f} s after the kill")
        alert = here.until(lambda: _alerts(here), 60, "the alert")
        if "Crashed" not in alert[0]["description"]:
            raise FaultFound(f"the alert is {alert[0]['description']}")
        print(f"   alert: {alert[0]['description']}")
        if here.state(again) != "Running" or not psutil.pid_exists(here.working("tasks.train")[0].pid):
            raise FaultFound(f"the next run is {here.state(again)}")


def _alerts(here: Night) -> list[dict[str, str]]:
    of_alerts = {"artifacts": {"key": {"any_": ["alerts"]}}}
    found: list[dict[str, str]] = here.ask("post", "artifacts/filter", of_alerts)
    return found
