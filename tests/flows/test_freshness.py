"""What DVC says about all stages at once, on real stages."""

import shutil
from pathlib import Path
from typing import Any

import pytest
from prefect.states import Cancelled

from flows.freshness import fresh_stages
from flows.stage import reproduce
from flows.watch import RunStopped
from tests.flows.conftest import STAGES


def ignore(line: str) -> None:
    pass


def fresh(*stages: str) -> tuple[str, ...]:
    return fresh_stages(stages or STAGES, ignore)


def test_stages_are_fresh_up_to_the_first_that_changed(workspace: Any) -> None:
    assert fresh() == ()
    for stage in STAGES:
        reproduce(stage, ignore)
    assert fresh() == STAGES
    workspace.command("triplets", "print('other code')")
    assert fresh() == STAGES[: STAGES.index("triplets")]


def test_a_stage_whose_output_is_gone_is_not_fresh(workspace: Any) -> None:
    reproduce("ingest", ignore)
    shutil.rmtree("reports")
    assert fresh("ingest") == ()


def test_a_step_that_always_runs_comes_before_the_answer(workspace: Any) -> None:
    workspace.stepped("ingest")
    Path("source.txt").write_text("first")
    reproduce("ingest", ignore)
    seen: list[str] = []
    assert fresh_stages(["ingest"], seen.append) == ("ingest",)
    assert "step at work" in seen
    Path("source.txt").write_text("second")
    assert fresh("ingest") == ()


def test_nothing_is_fresh_if_dvc_fails(workspace: Any) -> None:
    reproduce("ingest", ignore)
    Path("dvc.yaml").write_text("stages: {ingest: {cmd: true, bogus: 1}}")
    assert fresh("ingest") == ()


def test_it_stops_when_its_run_is_stopped(workspace: Any) -> None:
    def check() -> None:
        raise RunStopped(Cancelled(message="by hand"))

    with pytest.raises(RunStopped):
        fresh_stages(STAGES, ignore, check=check)
