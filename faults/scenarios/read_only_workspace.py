"""A read-only workspace: stages and flows end with one message, and nothing changes."""

import time
from pathlib import Path

from faults.disk import disk
from faults.errors import FaultFound
from faults.project import Checkout, new_project

SECONDS = 60.0
COMMANDS = (
    (("python", "-m", "tasks.ingest"), 1),
    (("python", "-m", "flows.training", "--local"), 1),
    (("dvc", "repro"), None),  # DVC's own message and exit code
    (("python", "-m", "tasks.commands.recipes", "list"), 0),
)


def run(folder: Path) -> None:
    """Write-protect a workspace, run what a user would, and run it again when it is writable."""
    with disk(folder / "disk") as small:
        project = new_project(small.folder)
        project.repro("dvc", "repro", "ingest")
        small.write_protect()
        for command, code in COMMANDS:
            _expect_message(project, command, code)
        small.grow()
        ran = project.repro("dvc", "repro", "align")
        if ran != ["align"]:
            raise FaultFound(f"writable again, dvc repro ran {ran}")


def _expect_message(project: Checkout, command: tuple[str, ...], code: int | None) -> None:
    start = time.monotonic()
    done = project.call(*command, env={"PYTHONDONTWRITEBYTECODE": "1"})
    seconds = time.monotonic() - start
    if done.returncode != code if code is not None else not done.returncode:
        raise FaultFound(f"{' '.join(command)}: exit {done.returncode}\n{done.stdout[-3000:]}")
    if "Traceback" in done.stdout or seconds > SECONDS:
        raise FaultFound(f"{' '.join(command)} took {seconds:.0f} s and printed\n{done.stdout[-3000:]}")
    lines = [line for line in done.stdout.splitlines() if "read-only" in line.lower()]
    if code != 0 and not lines:
        raise FaultFound(f"{' '.join(command)} does not say why:\n{done.stdout[-3000:]}")
    said = f": {lines[0][:150]}" if lines else ""
    print(f"   {' '.join(command)}: exit {done.returncode} after {seconds:.0f} s{said}")
