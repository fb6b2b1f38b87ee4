"""SIGKILL of the Prefect server during training, back after 60 s: the night goes on and ends Completed.

The stages need no server. Whatever ends in the outage waits for the server before it reports its end.
"""

import time
from pathlib import Path

from faults.errors import FaultFound
from faults.night import night

OUTAGE_SECONDS = 60.0


def run(folder: Path) -> None:
    """Kill the server in train, start it again, and check the run and what it registered."""
    with night(folder, epochs=6) as here:
        training = here.launch("training/nightly")
        (stage,) = here.until(lambda: here.working("tasks.train"), 120, "the stage train")
        here.kill("server")
        time.sleep(OUTAGE_SECONDS)
        if stage.is_running() is False and not (here.project.folder / "reports/train.json").exists():
            raise FaultFound("train ended with the server")
        here.start_server()
        seconds = here.expect(training, "Completed", 300)
        if here.versions() != 1:
            raise FaultFound(f"{here.versions()} versions are registered instead of one")
        print(f"   Completed {seconds:.0f} s after the server was back; one version is registered")
        promotion = here.until(
            lambda: here.ask("post", "flow_runs/filter", {"flows": {"name": {"any_": ["promotion"]}}}),
            60,
            "the promotion of the new version",
        )
        here.expect(promotion[0]["id"], "Promoted", 120)
        print("   its event started the promotion, which has promoted version 1")
