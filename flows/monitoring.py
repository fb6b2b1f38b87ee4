"""The monitoring flow: do the decisions of a day look like the evaluation, and like the days before?

See `python -m flows.monitoring --help`. No `from __future__ import annotations` here: Prefect evaluates the
annotations of a served flow in another namespace.
"""

import argparse
from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Any

from prefect import flow, get_run_logger
from prefect.events import emit_event
from prefect.states import Completed, Failed
from pydantic import Field

from facenet.errors import FaceNetError
from flows.artifacts import publish_page
from flows.automations import DRIFT
from flows.child import run_module
from flows.command import LOCAL, print_result
from flows.local_api import local_api
from flows.scoring import CHAMPION
from flows.supervision import supervise
from flows.training import Hours
from flows.watch import Watch
from tasks.commands.monitor import REPORT
from tasks.entry import stage_main
from tasks.monitoring.arguments import YESTERDAY
from tasks.monitoring.words import headline, markdown
from tasks.reports import read_report

DRIFTED = "Drifted"
Day = Annotated[str, Field(pattern=r"^(today|yesterday|\d{4}-\d{2}-\d{2})$")]
Rate = Annotated[float, Field(ge=0.0001, le=0.5)]


def _run_name() -> str:
    return f"monitoring {datetime.now().astimezone():%Y-%m-%d %H:%M}"


@flow(name="monitoring", flow_run_name=_run_name, persist_result=False)
def monitoring(
    day: Day = YESTERDAY,
    model: str = CHAMPION,
    false_alarms: Rate = 0.01,
    timeout_hours: Hours = 1.0,
) -> Any:
    """Compare a day of the decision log with the reference of the model and with earlier days.

    An alarm ends the run as Drifted and sends the event facenet.drift, which automations act on. The log is
    that of FACENET_MONITORING on the worker. It writes reports/monitoring.json and .html, changes nothing
    else in the workspace, and does not wait for other runs.

    Args:
        day: In UTC, as 2026-11-30, or today or yesterday.
        model: Meant to answer: models:/NAME@ALIAS, models:/NAME/VERSION, a folder, or pretrained.
        false_alarms: Probability that a day without a change has any alarm.
        timeout_hours: End the run after this time.
    """

    def work(watch: Watch) -> Any:
        arguments = ["--day", day, "--model", model, "--false-alarms", str(false_alarms)]
        try:
            run_module("tasks.commands.monitor", arguments, check=watch.check)
        except FaceNetError as error:
            return Failed(message=str(error))
        return conclude(read_report(REPORT))

    return supervise(work, timeout_hours=timeout_hours, workspace=False)


def conclude(report: dict[str, Any]) -> Any:
    """Publish the report, send the event if there are alarms, and return the final state."""
    summary = headline(report)
    publish_page("monitoring", markdown(report), summary, warn=get_run_logger().warning)
    if not report["alarms"]:
        return Completed(message=summary)
    resource = {
        "prefect.resource.id": f"facenet.deployed.{report['model'][:16]}",
        "prefect.resource.name": report["origin"],
    }
    emit_event(
        DRIFT,
        resource=resource,
        payload={"day": report["day"], "alarms": report["alarms"], "summary": summary},
    )
    return Completed(name=DRIFTED, message=summary)


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line; a failure prints its reason and exits with 1."""
    parser = argparse.ArgumentParser(
        prog="python -m flows.monitoring", description=(__doc__ or "").partition("\n")[0]
    )
    add, default = parser.add_argument, "default: %(default)s"
    add("--day", default=YESTERDAY, help=f"as 2026-11-30, or today or yesterday ({default})")
    add("--model", default=CHAMPION, help=default)
    add("--false-alarms", type=float, default=0.01, metavar="RATE", help=default)
    parser.add_argument("--local", action="store_true", help=LOCAL)
    options = parser.parse_args(arguments)
    stage_main(lambda: _monitor_now(options))


def _monitor_now(options: argparse.Namespace) -> None:
    with local_api(local=options.local):
        state: Any = monitoring(options.day, options.model, options.false_alarms, return_state=True)
    print_result(state)


if __name__ == "__main__":
    main()
