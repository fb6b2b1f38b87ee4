"""Two trainings and a promotion at once: one works, the others wait and say so, and all complete in turn."""

from pathlib import Path

from faults.errors import FaultFound
from faults.night import night


def run(folder: Path) -> None:
    """Start three runs, and check that only one of them works at a time."""
    with night(folder, epochs=2) as here:
        first = here.launch("training/nightly")
        here.until(lambda: here.working("tasks.train"), 120, "the stage train")
        second, promotion = here.launch("training/nightly"), here.launch("promotion/promote")
        for run_id in (second, promotion):
            here.expect(run_id, "WaitingForWorkspace", 60)
        if here.state(first) != "Running" or len(here.working("tasks.train")) != 1:
            raise FaultFound(f"the first run is {here.state(first)}")
        print("   a second training and a promotion are WaitingForWorkspace")
        here.expect(first, "Completed", 180)
        here.expect(second, "Unchanged", 120)
        here.until(
            lambda: here.state(promotion) in ("Promoted", "Unchanged"), 120, "the end of the promotion"
        )
        if here.versions() != 1:
            raise FaultFound(f"{here.versions()} versions are registered instead of one")
        print(f"   then the second is Unchanged, and the promotion {here.state(promotion)}; one version")
