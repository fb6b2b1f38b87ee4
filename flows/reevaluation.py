"""The re-evaluation flow: is the champion still as good on the present pairs as when it was registered?

See `python -m flows.reevaluation --help`. No `from __future__ import annotations` here: Prefect evaluates the
annotations of a served flow in another namespace.
"""

import argparse
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from prefect import flow, get_run_logger
from prefect.states import Completed, Failed

from facenet.errors import FaceNetError
from flows.artifacts import publish_page
from flows.child import run_module
from flows.command import LOCAL, print_result
from flows.local_api import local_api
from flows.scoring import CHAMPION, ModelUri
from flows.supervision import supervise
from flows.training import Hours
from flows.watch import Watch
from tasks.commands.reevaluate import METRICS, REPORT
from tasks.entry import stage_main
from tasks.reports import read_report

DROPPED = "AccuracyDropped"


def _run_name() -> str:
    return f"reevaluation {datetime.now().astimezone():%Y-%m-%d %H:%M}"


@flow(name="reevaluation", flow_run_name=_run_name, persist_result=False)
def reevaluation(model: ModelUri = CHAMPION, timeout_hours: Hours = 12.0) -> Any:
    """Evaluate a registered model on the workspace's present pairs; fail if its accuracy has dropped.

    It has dropped if the accuracy at registration is above the 95 % interval of the present one. Then the run
    fails as AccuracyDropped, which is reported like every failure.

    Args:
        model: The model, as models:/NAME@ALIAS or models:/NAME/VERSION.
        timeout_hours: End the run after this time.
    """

    def work(watch: Watch) -> Any:
        try:
            run_module("tasks.commands.reevaluate", ["--model", model], check=watch.check)
        except FaceNetError as error:
            return Failed(message=str(error))
        return conclude(read_report(REPORT))

    return supervise(work, timeout_hours=timeout_hours)


def conclude(report: dict[str, Any]) -> Any:
    """Publish the comparison, and return the final state."""
    summary = in_words(report)
    publish_page("reevaluation", page(report), summary, warn=get_run_logger().warning)
    if report["dropped"]:
        return Failed(name=DROPPED, message=summary)
    return Completed(message=summary)


def in_words(report: dict[str, Any]) -> str:
    """Return the comparison in one line."""
    low, high = report["accuracy_interval"]
    before = report["registered"].get("accuracy")
    was = "unknown" if before is None else f"{before:.4f}"
    pairs = "the same pairs" if report["same_pairs"] else "other pairs"
    return (
        f"{report['model']} version {report['version']}: accuracy {report['accuracy']:.4f} "
        f"({low:.4f} to {high:.4f}) on {report['pairs_used']} pairs, {was} at registration on {pairs}"
        f"{': it has dropped' if report['dropped'] else ''}"
    )


def page(report: dict[str, Any]) -> str:
    """Return the comparison as Markdown: the result, then each metric now and at registration."""

    def number(value: float | None) -> str:
        return "-" if value is None else f"{value:.4f}"

    rows = "".join(
        f"| {name} | {number(report[name])} | {number(report['registered'].get(name))} |\n"
        for name in METRICS
    )
    return f"# {in_words(report)}\n\n| metric | now | at registration |\n| --- | --- | --- |\n{rows}"


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line; a drop or a failure prints its reason and exits with 1."""
    parser = argparse.ArgumentParser(
        prog="python -m flows.reevaluation", description=(__doc__ or "").partition("\n")[0]
    )
    parser.add_argument("--model", default=CHAMPION, help="default: %(default)s")
    parser.add_argument("--local", action="store_true", help=LOCAL)
    options = parser.parse_args(arguments)
    stage_main(lambda: _evaluate_now(options))


def _evaluate_now(options: argparse.Namespace) -> None:
    with local_api(local=options.local):
        state: Any = reevaluation(options.model, return_state=True)
    print_result(state)


if __name__ == "__main__":
    main()
