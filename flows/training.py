"""The training flow: six DVC stages in order, now or on a schedule.

See `python -m flows.training --help`. No `from __future__ import annotations` here: Prefect evaluates the
annotations of a served flow in another namespace.
"""

import sys

from flows import command

if __name__ == "__main__":
    command.parse()  # handles --help and invalid arguments before Prefect is imported, which takes a second

import argparse
import os
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any

from prefect import flow, get_run_logger
from prefect.events import emit_event
from prefect.schedules import Cron
from prefect.settings import get_current_settings
from prefect.states import Completed
from pydantic import Field

from facenet.atomic import write_text
from facenet.digests import file_digest
from facenet.errors import FaceNetError
from flows import artifacts, remote
from flows.freshness import fresh_stages
from flows.local_api import HEARTBEAT_SECONDS, local_api
from flows.servers import ServerMissing, require_prefect
from flows.stage import StageRun, run_stage
from flows.supervision import supervise
from flows.watch import Watch
from flows.workspace import nothing
from tasks.entry import begin_check
from tasks.paths import PARAMS, report
from tasks.redaction import redact
from tasks.reports import read_report
from tasks.tracking import public_uri
from tasks.tracking.preloading import preload
from tasks.tracking.rest import is_server

SERVER_SECONDS = 60.0  # a server needs a few to start
REGISTERED = "facenet.model.registered"  # the event with which the deployment `promotion` starts
HEARTBEATS = "PREFECT_FLOWS_HEARTBEAT_FREQUENCY"  # of the runs of a deployment, which are processes
CHECKED = Path(".dvc/tmp/checked")  # sha256 of the params.yaml with which a run has completed
Hours = Annotated[float, Field(gt=0)]
STAGES = ("ingest", "align", "triplets", "train", "evaluate", "register")


def _run_name() -> str:
    return f"training {datetime.now().astimezone():%Y-%m-%d %H:%M}"


@flow(name="training", flow_run_name=_run_name, persist_result=False)
def training(force: bool = False, commit: str | None = None, timeout_hours: Hours = 24.0) -> Any:
    """Bring the model up to date with data, parameters and code, and register it.

    The result is the model version and its metrics in one line. If the version is a new one, the event
    `facenet.model.registered` is emitted.

    Args:
        force: Run every stage, even if nothing has changed.
        commit: Branch to commit dvc.lock on after the run, and to push to origin; none by default.
        timeout_hours: End the run after this time; what has finished is cached.
    """
    return supervise(lambda watch: _train(force, commit, watch), timeout_hours=timeout_hours)


def _train(force: bool, commit: str | None, watch: Watch) -> Any:
    params, before = file_digest(PARAMS) if PARAMS.exists() else "", _registered()
    checked = check_changes(params, force=force)
    if not is_server():  # a database is asked by MLflow itself, which takes seconds to import
        preload()
    remote.pull(check=watch.check)
    runs: list[StageRun] = []
    fresh = () if force else fresh_stages(STAGES, get_run_logger().info, check=watch.check)
    for stage in STAGES:
        if stage == "triplets":  # before their work, ingest and align check everything themselves
            checked()
        known = stage in fresh and all(run.unchanged for run in runs)
        holds = BEYOND_DVC.get(stage)
        runs.append(run_stage(stage, force=force, fresh=known, still_holds=holds, check=watch.check))
    result = _conclude(runs, before, commit, watch.check)
    write_text(CHECKED, params)  # of the beginning: the file may have changed since
    return result


def check_changes(params: str, *, force: bool) -> Callable[[], None]:
    """Start the check of the parameters, unless a run has completed with them; return a function that waits.

    The check imports torch, which takes as long as DVC needs for six unchanged stages.

    params: sha256 of params.yaml.
    """
    if not force and CHECKED.exists() and CHECKED.read_text() == params:
        return nothing
    return begin_check()


def _conclude(runs: list[StageRun], before: Any, commit: str | None, check: Callable[[], None]) -> Any:
    """Push to the team's remote, publish the summary, announce a new version, and return the final state."""
    logger = get_run_logger()
    evaluation, registration = read_report(report("evaluate")), read_report(report("register"))
    summary = artifacts.summary(evaluation, registration)
    summary = remote.push(commit, summary, check=check)
    stages = {run.stage: run.in_words() for run in runs}
    page = artifacts.training_page(summary, stages, registration, public_uri())
    artifacts.publish_page("training", page, summary, warn=logger.warning)
    if _registered() != before:
        _announce(registration)
    logger.info(summary)
    unchanged = all(run.unchanged for run in runs)
    return Completed(name="Unchanged" if unchanged else None, message=summary, data=summary)


def _registered() -> tuple[Any, ...] | None:
    """Return model, version and digest of the receipt, None without one."""
    if not report("register").exists():
        return None
    receipt = read_report(report("register"))
    return receipt["model"], receipt["version"], receipt["digest"]


def _announce(registration: dict[str, Any]) -> None:
    """Emit the event of a new version; Prefect sends it in the background, also after an outage."""
    model, version = registration["model"], str(registration["version"])
    resource = {
        "prefect.resource.id": f"facenet.model.{model}",
        "prefect.resource.name": f"{model} version {version}",
        "facenet.version": version,
    }
    emit_event(REGISTERED, resource=resource, payload={"model": model, "version": int(version)})


def _mined_with_the_present_model() -> bool:
    """Return whether triplets.embedder still names the model that mined: DVC does not see an alias move."""
    from tasks.triplets.embedder import is_current  # with MLflow

    return is_current()


def _is_challenger() -> bool:
    """Return whether the version in the receipt is the challenger: DVC restores only the receipt."""
    from tasks.promotion.receipt import is_challenger

    return is_challenger(report("register"))


# Inputs and effects of stages that DVC cannot see: checked when DVC finds the stage unchanged.
BEYOND_DVC = {"triplets": _mined_with_the_present_model, "register": _is_challenger}


def run_now(force: bool, commit: str | None = None, *, local: bool = False) -> int:
    """Run the flow in this process and return the exit code."""
    with local_api(local=local):
        state: Any = training(force=force, commit=commit, return_state=True)
    if state.is_completed():
        return 0
    sys.stderr.write(f"\n{state.result(raise_on_failure=False)}\n")
    return 1


def serve(cron: str, *, timezone: str, name: str, force: bool, commit: str | None = None) -> None:
    """Run the flow on the schedule `cron` until stopped; one run at a time, later runs wait.

    Raises:
        ServerMissing: Prefect has no server configured, or it does not answer within a minute.
    """
    url = get_current_settings().api.url
    if not url:
        raise ServerMissing(
            "A schedule requires a Prefect server. Start one with `prefect server start` "
            "and set PREFECT_API_URL=http://127.0.0.1:4200/api."
        )
    require_prefect(url, patience=SERVER_SECONDS)  # it may be starting
    os.environ.setdefault(HEARTBEATS, str(HEARTBEAT_SECONDS))
    training.serve(
        name=name,
        schedule=Cron(cron, timezone=timezone),
        parameters={"force": force, "commit": commit},
        limit=1,  # a run waits for the one before it; see flows/supervision.py for why not on the server
    )


def main(arguments: argparse.Namespace) -> int:
    """Run the command line and return the exit code."""
    try:
        if arguments.command == "run":
            return run_now(arguments.force, arguments.commit, local=arguments.local)
        served = {"timezone": arguments.timezone, "name": arguments.name}
        serve(arguments.cron, **served, force=arguments.force, commit=arguments.commit)
    except KeyboardInterrupt:
        sys.stderr.write("Stopped. Finished stages are cached: the next run continues from there.\n")
        return 130
    except (FaceNetError, ValueError) as error:
        sys.stderr.write(redact(f"{error}\n"))
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(command.parse()))
