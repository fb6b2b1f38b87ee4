"""Which stages are up to date, by one question to DVC instead of one `dvc repro` per stage.

A night without new photos would otherwise start DVC six times. The answer only saves time: `dvc repro` still
brings up to date each stage that is not in it, or that follows one that ran.
"""

import json
from collections.abc import Callable, Sequence
from itertools import takewhile
from pathlib import Path

from flows import process
from flows.dvc_command import dvc_commands, dvc_environment, steps_of
from flows.workspace import nothing


def fresh_stages(
    stages: Sequence[str], on_line: Callable[[str], None], *, check: Callable[[], None] = nothing
) -> tuple[str, ...]:
    """Return the first of `stages`, in their order, that `dvc status` reports as unchanged.

    The steps that always run come first, since they write what the stages read. If DVC fails, no stage counts
    as up to date: `dvc repro` of the first stage then says why.

    on_line: called with each line of output of the steps.
    check: called every second; an exception from it ends DVC with all its processes.
    """
    steps = [step for stage in stages for step in steps_of(stage, Path())]
    commands = [["repro", "--single-item", *steps]] if steps else []
    answers: list[str] = []

    def follow(line: str) -> None:
        if line.startswith("{"):
            answers.append(line)
        else:
            on_line(line)

    commands.append(["status", "--json", *stages])
    if process.run(dvc_commands(*commands), follow, env=dvc_environment(), check=check) or not answers:
        return ()
    changed = json.loads(answers[-1])
    return tuple(takewhile(lambda stage: stage not in changed, stages))
