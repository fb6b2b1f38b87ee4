"""The training flow: six DVC stages in order, now or on a schedule.

See `python -m flows.training --help`. No `from __future__ import annotations` here: Prefect evaluates the
annotations of a served flow in another namespace.
"""

import sys

from flows import command

if __name__ == "__main__":
    command.parse()  # handles --help and invalid arguments before Prefect is imported, which takes a second

import argparse
import time
from datetime import datetime

import requests
from prefect import flow, get_run_logger
from prefect.client.schemas.objects import ConcurrencyLimitConfig, ConcurrencyLimitStrategy
from prefect.runtime import flow_run
from prefect.schedules import Cron
from prefect.settings import get_current_settings

from facenet.errors import FaceNetError
from flows import artifacts, remote
from flows.local_api import local_api
from flows.stage import run_stage
from flows.workspace import exclusive
from tasks.entry import check_first
from tasks.paths import report
from tasks.reports import read_report


class ServerMissing(FaceNetError):
    """A schedule needs a Prefect server, and none is configured."""


SERVER_SECONDS = 60.0  # a server needs a few to start
STAGES = ("ingest", "align", "triplets", "train", "evaluate", "register")


def _run_name() -> str:
    return f"training {datetime.now().astimezone():%Y-%m-%d %H:%M}"


@flow(name="training", flow_run_name=_run_name, persist_result=False)
def training(force: bool = False, commit: str | None = None) -> str:
    """Bring the model up to date with data, parameters and code, and register it.

    Args:
        force: Run every stage, even if nothing has changed.
        commit: Branch to commit dvc.lock on after the run, and to push to origin; none by default.

    Returns:
        The model version and its metrics in one line.
    """
    logger = get_run_logger()
    with exclusive(f"flow run {flow_run.get_name()!r}", on_wait=logger.warning):
        check_first()
        remote.pull()
        for stage in STAGES:
            run_stage(stage, force=force, still_holds=BEYOND_DVC.get(stage))
        summary = artifacts.summary(read_report(report("evaluate")), read_report(report("register")))
        summary = remote.push(commit, summary)
    logger.info(summary)
    return summary


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


def run_now(force: bool) -> int:
    """Run the flow in this process and return the exit code."""
    with local_api():
        state = training(force=force, return_state=True)
    if state.is_completed():
        return 0
    sys.stderr.write(f"\n{state.result(raise_on_failure=False)}\n")
    return 1


def serve(cron: str, *, timezone: str, name: str, force: bool) -> None:
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
    _wait_for_server(url)
    training.serve(
        name=name,
        schedule=Cron(cron, timezone=timezone),
        parameters={"force": force},
        limit=1,
        global_limit=ConcurrencyLimitConfig(limit=1, collision_strategy=ConcurrencyLimitStrategy.ENQUEUE),
    )


def _wait_for_server(url: str) -> None:
    """Wait until the server answers: `prefect server start --background` returns before it listens."""
    end = time.monotonic() + SERVER_SECONDS
    while True:
        try:
            requests.get(f"{url}/health", timeout=SERVER_SECONDS)
        except requests.ConnectionError as error:
            if time.monotonic() > end:
                raise ServerMissing(
                    f"The Prefect server {url} does not answer. Start it with `prefect server start`."
                ) from error
            time.sleep(0.5)
        else:
            return


def main(arguments: argparse.Namespace) -> int:
    """Run the command line and return the exit code."""
    try:
        if arguments.command == "run":
            return run_now(arguments.force)
        serve(arguments.cron, timezone=arguments.timezone, name=arguments.name, force=arguments.force)
    except KeyboardInterrupt:
        sys.stderr.write("Stopped. Finished stages are cached: the next run continues from there.\n")
        return 130
    except (FaceNetError, ValueError) as error:
        sys.stderr.write(f"{error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(command.parse()))
