"""SIGKILL of the worker and of the flow's process in align: the next run aligns the rest and completes.

`flow_killed_in_train` checks what happens to the killed run; here the half-aligned photos matter.
"""

import time
from pathlib import Path

from facenet.digests import file_digest
from faults.errors import FaultFound
from faults.night import night

COMPLETED_SECONDS = 600.0


def run(folder: Path) -> None:
    """Kill both, start a worker, and compare the faces of the next run with those aligned from scratch."""
    with night(folder, epochs=1) as here:
        faces = here.project.folder / "data" / "aligned"
        here.project.change({"align": {"margin": 20}})  # so that there is something to align
        here.launch("training/nightly")
        here.until(lambda: here.working("tasks.align"), 120, "the stage align")
        time.sleep(2)
        start = here.kill_flow_in("tasks.align")
        here.start_worker()
        again = here.launch("training/nightly")
        here.until(lambda: here.working("tasks.align"), 90, "align of the next run")
        print(f"   the next run aligns {time.monotonic() - start:.0f} s after the kill")
        here.expect(again, "Completed", COMPLETED_SECONDS)
        print(f"   Completed {time.monotonic() - start:.0f} s after the kill, {here.versions()} version")
        if here.versions() != 1:
            raise FaultFound(f"{here.versions()} versions are registered")
        resumed = {path.name: file_digest(path) for path in sorted(faces.iterdir())}
        here.project.run("rm", "-rf", "data/cache")
        here.project.run("dvc", "repro", "--single-item", "--force", "--no-run-cache", "align")
        scratch = {path.name: file_digest(path) for path in sorted(faces.iterdir())}
        if resumed != scratch:
            raise FaultFound(f"faces differ from those aligned from scratch: {sorted(resumed)}")
