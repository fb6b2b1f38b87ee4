"""Every deployment started with the defaults of its form: all six run on a worker and end as they should.

Not a fault, but what a person does in the UI: Run, Custom run, and no change of any field.
"""

import shutil
from pathlib import Path

from faults.errors import FaultFound
from faults.night import night


def run(folder: Path) -> None:
    """Start each deployment, one after another, and compare the states in which they end."""
    with night(folder, epochs=1) as here:
        here.project.run("python", "-m", "tasks.shards", "export", "faces/")
        shutil.copytree(here.project.folder / "faces", here.project.folder / "photos" / "people")
        (here.project.folder / "photos" / "torn.jpg").write_bytes(b"\xff\xd8\xff half a photo")
        expected = (
            ("training/nightly", "Completed"),
            ("promotion/promote", "Unchanged"),  # the event of the training has promoted it
            ("reevaluation/weekly", "Completed"),
            ("scoring/batch", "Rejects"),
            ("promotion/rollback", "Refused"),  # there is no former champion
            ("sweep/sweep", "Completed"),
        )
        for deployment, state in expected:
            if deployment == "promotion/promote":
                here.until(lambda: _promoted(here.versions_with_alias("champion")), 90, "the first champion")
            seconds = here.expect(here.launch(deployment), state, 240)
            print(f"   {deployment}: {state} after {seconds:.0f} s")
        if here.versions() != 1:
            raise FaultFound(f"{here.versions()} versions are registered instead of one")


def _promoted(versions: list[int]) -> bool:
    return versions == [1]
