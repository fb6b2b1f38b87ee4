"""A flow run during a `dvc repro` typed by hand: the flow waits for DVC's lock, and nothing is done twice."""

import sys
from pathlib import Path

from faults.errors import FaultFound
from faults.night import night


def run(folder: Path) -> None:
    """Start `dvc repro`, start a run while it trains, and check both and the registered versions."""
    with night(folder, epochs=3) as here:
        by_hand = here.command("dvc", "repro")
        here.until(lambda: here.working("tasks.train"), 120, "the stage train of dvc repro")
        flow = here.command(sys.executable, "-m", "flows.training")
        output, _ = flow.communicate(timeout=480)
        text, _ = by_hand.communicate(timeout=60)
        if by_hand.returncode or flow.returncode:
            raise FaultFound(f"dvc repro: {text[-1500:]}\nflow: {output[-1500:]}")
        if output.count("images of 27 people") or text.count("images of 27 people") != 1:
            raise FaultFound("the model was not trained exactly once")
        if here.versions() != 1:
            raise FaultFound(f"{here.versions()} versions are registered instead of one")
        waited = "did not run: its files are locked by process" in output
        print(f"   the flow {'waited for' if waited else 'found'} what dvc repro did; one version")
